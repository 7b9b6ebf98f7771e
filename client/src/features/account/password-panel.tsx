import { Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { useAccountActions } from "../../api/account";
import { useAct } from "../../api/act";
import { fieldProblem, otherProblem } from "../../api/errors";
import { Panel } from "../../ui/panel";
import { Failure } from "../../ui/states";
import { account } from "../../words/account";
import { common } from "../../words/common";

const words = account.password;
const FIELDS = ["currentPassword", "newPassword"];
const eye = { "aria-label": common.showPassword, tabIndex: 0 };

export function PasswordPanel() {
  const { changePassword } = useAccountActions();
  const { busy, problems, act } = useAct();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [changed, setChanged] = useState(false);

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    setChanged(false);
    const done = await act(() => changePassword({ currentPassword: current, newPassword: next }));
    if (!done) return;
    setCurrent("");
    setNext("");
    setChanged(true);
  }

  const general = otherProblem(problems, FIELDS);
  return (
    <Panel title={words.title}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack maw="26rem">
          <Text size="sm" c="dimmed">
            {words.says}
          </Text>
          {general ? <Failure title={common.failed} message={general.message} /> : null}
          <PasswordInput
            label={words.current}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
            error={fieldProblem(problems, "currentPassword")}
            visibilityToggleButtonProps={eye}
          />
          <PasswordInput
            label={words.next}
            autoComplete="new-password"
            required
            withAsterisk={false}
            value={next}
            onChange={(event) => setNext(event.currentTarget.value)}
            error={fieldProblem(problems, "newPassword")}
            visibilityToggleButtonProps={eye}
          />
          <Group>
            <Button type="submit" variant="default" loading={busy} disabled={current === "" || next === ""}>
              {words.submit}
            </Button>
          </Group>
          <Text size="sm" role="status" c="var(--k-ok)">
            {changed ? words.changed : ""}
          </Text>
        </Stack>
      </form>
    </Panel>
  );
}
