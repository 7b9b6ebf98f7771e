import { Alert, Button, Checkbox, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";
import { useAccountActions } from "../../api/account";
import { useAct } from "../../api/act";
import { fieldProblem, otherProblem } from "../../api/errors";
import { useSession } from "../../api/session";
import { CodeBlock } from "../../ui/code-block";
import { Failure } from "../../ui/states";
import { account } from "../../words/account";
import { common } from "../../words/common";
import { curlExample, endOf, pythonExample } from "./example";

const words = account.tokens;
const SCOPES = ["read", "datasets:write", "jobs:write", "admin"] as const;
const lifetimes = Object.entries(words.dialog.lifetimes).map(([value, label]) => ({ value: value === "" ? "none" : value, label }));
const FIELDS = ["name", "scopes"];

/** Asks what the token is for; then shows it, once, in requests that can be pasted. */
export function TokenDialog({ onClose }: { onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  return secret === null ? <AskDialog onClose={onClose} onMade={setSecret} /> : <MadeDialog secret={secret} onClose={onClose} />;
}

function AskDialog({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const { createToken } = useAccountActions();
  const { busy, problems, act } = useAct();
  const state = useSession();
  const isAdmin = state.kind === "signedIn" && state.session.user.role === "ADMIN";
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read", "datasets:write", "jobs:write"]);
  const [days, setDays] = useState("90");

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    const made: string[] = [];
    await act(async () => {
      const expiresAt = endOf(days === "none" ? "" : days, Date.now());
      const outcome = await createToken({ name: name.trim(), scopes, expiresAt });
      if (outcome.payload?.secret) made.push(outcome.payload.secret);
      return outcome;
    });
    const [secret] = made;
    if (secret !== undefined) onMade(secret);
  }

  const general = otherProblem(problems, FIELDS);
  return (
    <Modal opened onClose={onClose} title={words.dialog.title}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {general ? <Failure title={common.failed} message={general.message} /> : null}
          <TextInput
            label={words.dialog.name}
            placeholder={words.dialog.nameHint}
            required
            withAsterisk={false}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fieldProblem(problems, "name")}
          />
          <Checkbox.Group label={words.dialog.scopes} value={scopes} onChange={setScopes} error={fieldProblem(problems, "scopes")}>
            <Stack gap="xs" mt="xs">
              {SCOPES.filter((scope) => scope !== "admin" || isAdmin).map((scope) => (
                <Checkbox key={scope} value={scope} label={words.scopes[scope]} size="xs" />
              ))}
            </Stack>
          </Checkbox.Group>
          <Select label={words.dialog.lifetime} data={lifetimes} value={days} onChange={(value) => setDays(value ?? "90")} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {common.cancel}
            </Button>
            <Button type="submit" loading={busy} disabled={name.trim() === "" || scopes.length === 0}>
              {words.dialog.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Leaves only by its button: a click beside it must not lose what is shown once. */
function MadeDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={words.made.title} size="lg" closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
      <Stack>
        <Alert variant="default" icon={<IconEyeOff aria-hidden />} role="status">
          {words.made.once}
        </Alert>
        <CodeBlock label={words.made.secret} code={secret} />
        <CodeBlock label={words.made.curl} code={curlExample(location.origin, secret)} />
        <CodeBlock label={words.made.python} code={pythonExample(location.origin, secret)} />
        <Group justify="flex-end">
          <Button onClick={onClose} data-autofocus>
            {words.made.done}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
