import { AppShell, Burger, Button, Group, NavLink, Stack, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconDatabase, IconHistory, IconLogout, IconPlayerPlay, IconSearch, IconShieldCog } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, type ReactNode } from "react";
import { Link, useLocation } from "react-router";
import { useJobUpdates } from "./api/jobs";
import { logout, type SessionUser } from "./api/session";
import { UploadsSummary } from "./features/uploads/uploads-summary";
import { ColorSchemeSwitch } from "./ui/color-scheme-switch";
import { Logo } from "./ui/logo";
import classes from "./shell.module.css";
import { shell as words } from "./words/shell";

const Palette = lazy(() => import("./features/palette/palette"));

const places = [
  { to: "/datasets", label: words.datasets, icon: IconDatabase },
  { to: "/jobs", label: words.jobs, icon: IconHistory },
] as const;

const forAdministrators = [{ to: "/admin", label: words.administration, icon: IconShieldCog }] as const;

const PALETTE_KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl K";

export function Shell({ user, children }: { user: SessionUser; children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [finding, find] = useDisclosure(false);
  const { pathname } = useLocation();
  useJobUpdates();
  useNewPage(pathname);
  // From everywhere: text fields and the SQL editor do not keep the key to themselves.
  useHotkeys([["mod+K", find.toggle]], [], true);
  return (
    <AppShell
      layout="alt"
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: "14rem", breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", md: "xl" }}
    >
      <a className={classes.skip} href="#main">
        {words.skip}
      </a>
      <AppShell.Header className={classes.bar} hiddenFrom="sm">
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger opened={opened} onClick={toggle} size="sm" aria-label={words.menu} aria-expanded={opened} />
          <Logo size={24} />
          <Text fw={650} flex={1}>
            {words.product}
          </Text>
          <UnstyledButton className={classes.icon} onClick={find.open} aria-label={words.findShort}>
            <IconSearch size={18} stroke={1.7} aria-hidden />
          </UnstyledButton>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.bar} p="sm" aria-label={words.mainNavigation}>
        <Group justify="space-between" wrap="nowrap" mb="md" px="xs" pt="xs">
          <UnstyledButton component={Link} to="/datasets" onClick={close} className={classes.brand}>
            <Logo />
            <Text fw={650} fz="md" span>
              {words.product}
            </Text>
          </UnstyledButton>
          <Burger hiddenFrom="sm" opened={opened} onClick={toggle} size="sm" aria-label={words.closeMenu} />
        </Group>
        <Button
          component={Link}
          to="/jobs/new"
          onClick={close}
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          fullWidth
          mb="xs"
        >
          {words.newJob}
        </Button>
        <UnstyledButton className={classes.find} onClick={find.open} visibleFrom="sm">
          <IconSearch size={15} stroke={1.7} aria-hidden />
          <span>{words.find}</span>
          <kbd className={classes.key}>{PALETTE_KEY}</kbd>
        </UnstyledButton>
        <Stack gap={2}>
          {(user.role === "ADMIN" ? [...places, ...forAdministrators] : places).map(({ to, label, icon: Icon }) => {
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
          <UnstyledButton component={Link} to="/account" onClick={close} className={classes.who} title={words.account}>
            <Text size="sm" fw={550} truncate>
              {user.displayName}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {user.email}
            </Text>
          </UnstyledButton>
          <Group gap={2} wrap="nowrap">
            <ColorSchemeSwitch />
            <UnstyledButton className={classes.icon} onClick={() => void logout()} title={words.signOut}>
              <IconLogout size={17} stroke={1.7} aria-hidden />
              <VisuallyHidden>{words.signOut}</VisuallyHidden>
            </UnstyledButton>
          </Group>
        </Group>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <div className={classes.column}>{children}</div>
      </AppShell.Main>
      {finding ? (
        <Suspense>
          <Palette onClose={find.close} />
        </Suspense>
      ) : null}
    </AppShell>
  );
}

/** A page that is opened starts at its top, and has the focus: the keyboard goes on from there, and readers read it. */
function useNewPage(pathname: string) {
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    window.scrollTo(0, 0);
    const main = document.getElementById("main");
    if (!main?.contains(document.activeElement)) main?.focus({ preventScroll: true });
  }, [pathname]);
}
