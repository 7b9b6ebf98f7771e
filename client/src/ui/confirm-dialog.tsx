import { Button, Group, Modal, Stack, Text } from "@mantine/core";

type ConfirmDialogProps = {
  words: { title: string; says: string; keep: string; confirm: string };
  opened: boolean;
  busy: boolean;
  onClose: () => void;
  onConfirm: () => void;
};

/** Asks before something that cannot be taken back, and says what it does. */
export function ConfirmDialog({ words, opened, busy, onClose, onConfirm }: ConfirmDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={words.title} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm">{words.says}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {words.keep}
          </Button>
          <Button color="red.9" loading={busy} onClick={onConfirm}>
            {words.confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
