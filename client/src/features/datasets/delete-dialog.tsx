import { Button, Group, Modal, Stack, Text } from "@mantine/core";

type DeleteDialogProps = { name: string; opened: boolean; busy: boolean; onClose: () => void; onDelete: () => void };

export function DeleteDialog({ name, opened, busy, onClose, onDelete }: DeleteDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="Delete this dataset?" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          <b>{name}</b> will no longer be found here. Results of jobs that have read it stay, and so do files that were not
          uploaded.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep it
          </Button>
          <Button color="red" loading={busy} onClick={onDelete}>
            Delete
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
