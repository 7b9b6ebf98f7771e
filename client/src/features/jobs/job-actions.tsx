import { ActionIcon, Button, Menu } from "@mantine/core";
import { IconCopy, IconDots, IconEdit, IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useJobActions, type Job, type JobState } from "../../api/jobs";
import type { Problem } from "../../api/errors";
import { newKey } from "../../api/key";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { allowed } from "./job-state";
import { text } from "./text";

type JobActionsProps = { job: Job; state: JobState; onProblems: (problems: readonly Problem[]) => void };
type Doing = "pause" | "resume" | "cancel" | "retry" | "clone" | "remove";

/** What can be done to a job in the state that it is in; the likeliest first, the rest in a menu. */
export function JobActions({ job, state, onProblems }: JobActionsProps) {
  const actions = useJobActions();
  const navigate = useNavigate();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [asking, setAsking] = useState<"cancel" | "remove" | null>(null);
  const [pausing, setPausing] = useState(false);
  const can = allowed(state);

  async function act(what: Doing, work: () => Promise<{ problems: readonly Problem[] }>): Promise<boolean> {
    setDoing(what);
    const { problems } = await work();
    setDoing(null);
    setAsking(null);
    onProblems(problems);
    return problems.length === 0;
  }

  async function pause() {
    if (await act("pause", () => actions.pause(job.id))) setPausing(true);
  }

  async function resume() {
    setPausing(false);
    await act("resume", () => actions.resume(job.id));
  }

  async function clone() {
    let copy: string | undefined;
    await act("clone", async () => {
      const outcome = await actions.clone({ jobId: job.id, idempotencyKey: newKey() });
      copy = outcome.payload?.job?.id;
      return outcome;
    });
    if (copy !== undefined) void navigate(`/jobs/${encodeURIComponent(copy)}`);
  }

  async function remove() {
    if (await act("remove", () => actions.remove(job.id))) void navigate("/jobs");
  }

  const isPausing = pausing && can.pause;
  return (
    <>
      {can.resume ? (
        <Button leftSection={<IconPlayerPlay size={15} aria-hidden />} loading={doing === "resume"} onClick={() => void resume()}>
          {text.actions.resume}
        </Button>
      ) : null}
      {can.retry ? (
        <Button
          leftSection={<IconRefresh size={15} aria-hidden />}
          loading={doing === "retry"}
          onClick={() => void act("retry", () => actions.retry(job.id))}
        >
          {text.actions.retry}
        </Button>
      ) : null}
      {can.pause ? (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={15} aria-hidden />}
          loading={doing === "pause"}
          disabled={isPausing}
          onClick={() => void pause()}
        >
          {isPausing ? text.actions.pausing : text.actions.pause}
        </Button>
      ) : null}
      {can.cancel || state === "CANCELING" ? (
        <Button
          variant="default"
          c={can.cancel ? "var(--k-bad)" : undefined}
          leftSection={<IconPlayerStop size={15} aria-hidden />}
          disabled={!can.cancel}
          onClick={() => setAsking("cancel")}
        >
          {text.actions.cancel}
        </Button>
      ) : null}
      {can.remove ? (
        <Button
          variant="default"
          component={Link}
          to={`/jobs/new?from=${encodeURIComponent(job.id)}`}
          leftSection={<IconEdit size={15} aria-hidden />}
        >
          {text.actions.edit}
        </Button>
      ) : null}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={text.actions.more} loading={doing === "clone"}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {can.remove ? null : (
            <Menu.Item component={Link} to={`/jobs/new?from=${encodeURIComponent(job.id)}`} leftSection={<IconEdit size={15} aria-hidden />}>
              {text.actions.edit}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconCopy size={15} aria-hidden />} onClick={() => void clone()}>
            {text.actions.clone}
          </Menu.Item>
          {can.remove ? (
            <Menu.Item c="var(--k-bad)" leftSection={<IconTrash size={15} aria-hidden />} onClick={() => setAsking("remove")}>
              {text.actions.remove}
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        words={text.cancel}
        opened={asking === "cancel"}
        busy={doing === "cancel"}
        onClose={() => setAsking(null)}
        onConfirm={() => void act("cancel", () => actions.cancel(job.id))}
      />
      <ConfirmDialog
        words={text.remove}
        opened={asking === "remove"}
        busy={doing === "remove"}
        onClose={() => setAsking(null)}
        onConfirm={() => void remove()}
      />
    </>
  );
}
