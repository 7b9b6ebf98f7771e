/** One place to go anywhere and to do anything, with the keyboard: Ctrl-K, or Cmd-K. */
import { Modal, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useId, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { useDatasets } from "../../api/datasets";
import { useJobs } from "../../api/jobs";
import { logout, useSession } from "../../api/session";
import { palette as words, shell } from "../../words/shell";
import { matching, type Command } from "./commands";
import classes from "./palette.module.css";

const SEARCH_DELAY_MS = 150;
const FOUND_SHOWN = 5;

export default function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [chosen, choose] = useState(0);
  const commands = useCommands(typed);
  const id = useId();
  const shown = matching(commands, typed);
  const active = Math.min(chosen, shown.length - 1);

  function run(command: Command | undefined) {
    if (command === undefined) return;
    onClose();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    const to = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (event.key === "Enter") run(shown[active]);
    if (to === undefined || shown.length === 0) return;
    event.preventDefault();
    const next = (to + shown.length) % shown.length;
    choose(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
  }

  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} size="lg" yOffset="12vh" aria-label={words.title}>
      <div className={classes.ask}>
        <IconSearch size={18} stroke={1.7} aria-hidden className={classes.icon} />
        <input
          className={classes.input}
          role="combobox"
          aria-label={words.title}
          aria-expanded
          aria-controls={id}
          aria-autocomplete="list"
          aria-activedescendant={shown.length > 0 ? `${id}-${active}` : undefined}
          placeholder={words.placeholder}
          data-autofocus
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            choose(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div id={id} role="listbox" aria-label={words.results} className={classes.list}>
        {shown.map((command, index) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the input above has the focus and the keys
          <div
            key={command.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className={classes.option}
            onMouseMove={() => choose(index)}
            onClick={() => run(command)}
          >
            <span className={classes.label}>{command.label}</span>
            <span className={classes.group}>{command.note ?? command.group}</span>
          </div>
        ))}
      </div>
      <p className={classes.foot} role="status">
        {shown.length === 0 ? words.nothing(typed) : words.hint}
      </p>
    </Modal>
  );
}

function useCommands(typed: string): Command[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const session = useSession();
  const isAdmin = session.kind === "signedIn" && session.session.user.role === "ADMIN";
  const [asked] = useDebouncedValue(typed.trim(), SEARCH_DELAY_MS);
  const datasets = useDatasets(asked).value?.nodes ?? [];
  const jobs = useJobs(asked, []).value?.nodes ?? [];

  const go = (label: string, to: string, also = ""): Command => ({
    id: to,
    group: words.groups.go,
    label,
    also,
    run: () => void navigate(to),
  });
  const act = (label: string, run: () => void, also = ""): Command => ({ id: label, group: words.groups.do, label, also, run });
  const found = (group: string, path: string, { id, name }: { id: string; name: string }): Command => ({
    id,
    group,
    label: name,
    run: () => void navigate(`${path}/${encodeURIComponent(id)}`),
  });

  return [
    go(shell.newJob, "/jobs/new", "query sql run"),
    go(shell.datasets, "/datasets", "files upload"),
    go(shell.jobs, "/jobs", "history results"),
    go(shell.account, "/account", `${words.tokens} ${words.password} ${words.usage} profile`),
    ...(isAdmin
      ? [go(words.users, "/admin/users", shell.administration), go(words.nodes, "/admin/nodes"), go(words.audit, "/admin/audit")]
      : []),
    act(words.light, () => setColorScheme("light"), "theme day"),
    act(words.dark, () => setColorScheme("dark"), "theme night"),
    act(words.system, () => setColorScheme("auto"), "theme"),
    act(shell.signOut, () => void logout(), "log out leave"),
    ...datasets.slice(0, FOUND_SHOWN).map((dataset) => found(words.groups.datasets, "/datasets", dataset)),
    ...jobs.slice(0, FOUND_SHOWN).map((job) => found(words.groups.jobs, "/jobs", job)),
  ];
}
