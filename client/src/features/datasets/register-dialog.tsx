import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { useDatasetActions } from "../../api/datasets";
import type { Problem } from "../../api/errors";
import { Failure } from "../../ui/states";

/** Names files that are in storage, or in a data folder of the service, already. */
export default function RegisterDialog({ onClose }: { onClose: () => void }) {
  const [uri, setUri] = useState("");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const { register } = useDatasetActions();
  const navigate = useNavigate();
  const suggested = uri.split("/").at(-1) ?? "";

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    setBusy(true);
    const { payload, problems: found } = await register({ uri: uri.trim(), name: name.trim() || suggested || uri });
    setBusy(false);
    setProblems(found);
    if (payload?.dataset) {
      onClose();
      void navigate(`/datasets/${encodeURIComponent(payload.dataset.id)}`);
    }
  }

  const [first] = problems;
  return (
    <Modal opened onClose={onClose} title="Use files already there">
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm" c="dimmed">
            Nothing is copied. One address may stand for many files of one kind, as in{" "}
            <span className="mono">logs/*.csv</span>.
          </Text>
          {first ? <Failure title="The files cannot be used" message={first.message} /> : null}
          <TextInput
            label="Address"
            placeholder="file:///data/orders.csv"
            required
            withAsterisk={false}
            data-autofocus
            value={uri}
            onChange={(event) => setUri(event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            placeholder={suggested}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Add dataset
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
