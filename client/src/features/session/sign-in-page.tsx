import { Anchor, Button, Card, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useEffect, useState, type SyntheticEvent } from "react";
import type { Problem } from "../../api/errors";
import { login, register } from "../../api/session";
import { ColorSchemeSwitch } from "../../ui/color-scheme-switch";
import { Logo } from "../../ui/logo";
import { Failure } from "../../ui/states";
import classes from "./sign-in-page.module.css";

type Mode = "signIn" | "register";

const words = {
  signIn: { title: "Sign in", submit: "Sign in", ask: "No account yet?", swap: "Create one" },
  register: { title: "Create an account", submit: "Create account", ask: "Have an account?", swap: "Sign in" },
} as const;

/** The message that belongs to one field, where the service names one. */
function fieldProblem(problems: readonly Problem[], field: string): string | null {
  return problems.find((problem) => problem.field?.at(-1) === field)?.message ?? null;
}

export function SignInPage({ expired }: { expired: boolean }) {
  const [mode, setMode] = useState<Mode>("signIn");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const text = words[mode];

  useEffect(() => {
    document.title = `${text.title} · Karyaksham`;
  }, [text.title]);

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    setBusy(true);
    setProblems([]);
    const outcome =
      mode === "signIn"
        ? await login({ email, password })
        : await register({ email, password, displayName: displayName.trim() === "" ? null : displayName.trim() });
    setBusy(false);
    setProblems(outcome.problems);
  }

  function swap() {
    setMode(mode === "signIn" ? "register" : "signIn");
    setProblems([]);
  }

  const shownAtField = new Set(["email", "password", "displayName"]);
  const general = problems.find((problem) => !shownAtField.has(problem.field?.at(-1) ?? ""));
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
              Karyaksham
            </Text>
            <Text size="sm" c="dimmed">
              Large files in, results out.
            </Text>
          </div>
        </div>
        <Card padding="lg" radius="lg" className={classes.card}>
          <form onSubmit={(event) => void submit(event)}>
            <Stack gap="md">
              <Title order={1} size="h2">
                {text.title}
              </Title>
              {expired && problems.length === 0 ? (
                <Text size="sm" c="dimmed" role="status">
                  Your session has ended. Sign in to go on where you were.
                </Text>
              ) : null}
              {general ? <Failure title="That did not work" message={general.message} /> : null}
              {mode === "register" ? (
                <TextInput
                  label="Name"
                  autoComplete="name"
                  value={displayName}
                  onChange={(event) => setDisplayName(event.currentTarget.value)}
                  error={fieldProblem(problems, "displayName")}
                />
              ) : null}
              <TextInput
                label="Email"
                type="email"
                autoComplete="username"
                required
                withAsterisk={false}
                value={email}
                onChange={(event) => setEmail(event.currentTarget.value)}
                error={fieldProblem(problems, "email")}
              />
              <PasswordInput
                label="Password"
                autoComplete={mode === "signIn" ? "current-password" : "new-password"}
                required
                withAsterisk={false}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                error={fieldProblem(problems, "password")}
                visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
              />
              <Button type="submit" loading={busy} fullWidth>
                {text.submit}
              </Button>
            </Stack>
          </form>
        </Card>
        <Text size="sm" c="dimmed" ta="center">
          {text.ask}{" "}
          <Anchor component="button" type="button" size="sm" fw={550} underline="always" onClick={swap}>
            {text.swap}
          </Anchor>
        </Text>
      </main>
    </div>
  );
}
