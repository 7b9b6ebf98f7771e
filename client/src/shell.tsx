import { AppShell, Burger, Button, Group, NavLink, Stack, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDatabase, IconHistory, IconLogout, IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "react-router";
import { useJobUpdates } from "./api/jobs";
import { logout, type SessionUser } from "./api/session";
import { UploadsSummary } from "./features/uploads/uploads-summary";
import { ColorSchemeSwitch } from "./ui/color-scheme-switch";
import { Logo } from "./ui/logo";
import classes from "./shell.module.css";

const places = [
  { to: "/datasets", label: "Datasets", icon: IconDatabase },
  { to: "/jobs", label: "Jobs", icon: IconHistory },
] as const;

export function Shell({ user, children }: { user: SessionUser; children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  useJobUpdates();
  return (
    <AppShell
      layout="alt"
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: 216, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", md: "xl" }}
    >
      <a className={classes.skip} href="#main">
        Skip to the content
      </a>
      <AppShell.Header className={classes.bar} hiddenFrom="sm">
        <Group h="100%" px="md" gap="sm">
          <Burger opened={opened} onClick={toggle} size="sm" aria-label="Menu" aria-expanded={opened} />
          <Logo size={24} />
          <Text fw={650}>Karyaksham</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.bar} p="sm" aria-label="Main">
        <Group justify="space-between" wrap="nowrap" mb="md" px={6} pt={4}>
          <UnstyledButton component={Link} to="/datasets" onClick={close} className={classes.brand}>
            <Logo />
            <Text fw={650} fz="md" span>
              Karyaksham
            </Text>
          </UnstyledButton>
          <Burger hiddenFrom="sm" opened={opened} onClick={toggle} size="sm" aria-label="Close the menu" />
        </Group>
        <Button
          component={Link}
          to="/jobs/new"
          onClick={close}
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          fullWidth
          mb="sm"
        >
          New job
        </Button>
        <Stack gap={2}>
          {places.map(({ to, label, icon: Icon }) => {
            const here = pathname === to || (pathname.startsWith(`${to}/`) && pathname !== "/jobs/new");
            return (
              <NavLink
                key={to}
                component={Link}
                to={to}
                label={label}
                onClick={close}
                active={here}
                aria-current={here ? "page" : undefined}
                leftSection={<Icon size={17} stroke={1.7} aria-hidden />}
                className={classes.link}
              />
            );
          })}
        </Stack>
        <UploadsSummary />
        <Group className={classes.foot} justify="space-between" wrap="nowrap" gap="xs">
          <div className={classes.who}>
            <Text size="sm" fw={550} truncate>
              {user.displayName}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {user.email}
            </Text>
          </div>
          <Group gap={2} wrap="nowrap">
            <ColorSchemeSwitch />
            <UnstyledButton className={classes.icon} onClick={() => void logout()} title="Sign out">
              <IconLogout size={17} stroke={1.7} aria-hidden />
              <VisuallyHidden>Sign out</VisuallyHidden>
            </UnstyledButton>
          </Group>
        </Group>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <div className={classes.column}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}
