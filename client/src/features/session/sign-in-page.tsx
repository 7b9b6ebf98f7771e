import { Anchor, Button, Card, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useEffect, useState, type SyntheticEvent } from "react";
import { fieldProblem, otherProblem, type Problem } from "../../api/errors";
import { login, register, resetPassword } from "../../api/session";
import { assertNever } from "../../ui/assert-never";
import { ColorSchemeSwitch } from "../../ui/color-scheme-switch";
import { Logo } from "../../ui/logo";
import { Failure } from "../../ui/states";
import { common } from "../../words/common";
import { signIn as words } from "../../words/session";
import classes from "./sign-in-page.module.css";

type Mode = "signIn" | "register" | "reset";

/** Where else one can go from each. */
const ways: Record<Mode, readonly Mode[]> = { signIn: ["register", "reset"], register: ["signIn"], reset: ["signIn"] };
const FIELDS = ["email", "password", "displayName", "code", "newPassword"];

export function SignInPage({ expired }: { expired: boolean }) {
  const [mode, setMode] = useState<Mode>("signIn");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [code, setCode] = useState("");
  const [reset, setReset] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const text = words.modes[mode];

  useEffect(() => {
    document.title = `${text.title} · Karyaksham`;
  }, [text.title]);

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    setBusy(true);
    setProblems([]);
    const { problems: found } = await send();
    setBusy(false);
    setProblems(found);
    if (mode !== "reset" || found.length > 0) return;
    setPassword("");
    setReset(true);
    setMode("signIn");
  }

  function send(): Promise<{ problems: readonly Problem[] }> {
    switch (mode) {
      case "signIn":
        return login({ email, password });
      case "register":
        return register({ email, password, displayName: displayName.trim() === "" ? null : displayName.trim() });
      case "reset":
        return resetPassword({ code: code.trim(), newPassword: password });
      default:
        return assertNever(mode);
    }
  }

  function go(next: Mode) {
    setMode(next);
    setReset(false);
    setProblems([]);
  }

  const general = otherProblem(problems, FIELDS);
  const note = reset ? words.wasReset : expired && problems.length === 0 ? words.expired : null;
  return (
    <div className={classes.page}>
      <div className={classes.corner}>
        <ColorSchemeSwitch />
      </div>
      <main className={classes.column}>
        <div className={classes.brand}>
          <Logo size={40} />
          <div>
            <Text fw={650} fz="lg" lts="-0.015em">
              {words.product}
            </Text>
            <Text size="sm" c="dimmed">
              {words.promise}
            </Text>
          </div>
        </div>
        <Card padding="lg" radius="lg" className={classes.card}>
          <form onSubmit={(event) => void submit(event)}>
            <Stack gap="md">
              <Title order={1} size="h2">
                {text.title}
              </Title>
              {note === null ? null : (
                <Text size="sm" c="dimmed" role="status">
                  {note}
                </Text>
              )}
              {mode === "reset" ? (
                <Text size="sm" c="dimmed">
                  {words.resetSays}
                </Text>
              ) : null}
              {general ? <Failure title={common.failed} message={general.message} /> : null}
              {mode === "register" ? (
                <TextInput
                  label={words.name}
                  autoComplete="name"
                  value={displayName}
                  onChange={(event) => setDisplayName(event.currentTarget.value)}
                  error={fieldProblem(problems, "displayName")}
                />
              ) : null}
              {mode === "reset" ? (
                <TextInput
                  label={words.code}
                  autoComplete="one-time-code"
                  required
                  withAsterisk={false}
                  value={code}
                  onChange={(event) => setCode(event.currentTarget.value)}
                  error={fieldProblem(problems, "code")}
                />
              ) : (
                <TextInput
                  label={words.email}
                  type="email"
                  autoComplete="username"
                  required
                  withAsterisk={false}
                  value={email}
                  onChange={(event) => setEmail(event.currentTarget.value)}
                  error={fieldProblem(problems, "email")}
                />
              )}
              <PasswordInput
                label={mode === "reset" ? words.newPassword : words.password}
                autoComplete={mode === "signIn" ? "current-password" : "new-password"}
                required
                withAsterisk={false}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                error={fieldProblem(problems, "password") ?? fieldProblem(problems, "newPassword")}
                visibilityToggleButtonProps={{ "aria-label": common.showPassword, tabIndex: 0 }}
              />
              <Button type="submit" loading={busy} fullWidth>
                {text.submit}
              </Button>
            </Stack>
          </form>
        </Card>
        <Stack gap={4} align="center">
          {ways[mode].map((to) => (
            <Text key={to} size="sm" c="dimmed" ta="center">
              {words.ways[to].ask}{" "}
              <Anchor component="button" type="button" size="sm" fw={550} underline="always" onClick={() => go(to)}>
                {words.ways[to].swap}
              </Anchor>
            </Text>
          ))}
        </Stack>
      </main>
    </div>
  );
}
