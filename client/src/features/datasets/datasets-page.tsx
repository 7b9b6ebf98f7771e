import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconDatabase, IconFolder, IconSearch } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useDatasets } from "../../api/datasets";
import { plural } from "../../ui/format";
import { Page } from "../../ui/page";
import { Panel } from "../../ui/panel";
import { Empty, Failure, LoadingLines } from "../../ui/states";
import { DropZone } from "../uploads/drop-zone";
import { UploadsPanel } from "../uploads/uploads-panel";
import { DatasetList } from "./dataset-list";

// Dialogs are loaded when they are opened.
const RegisterDialog = lazy(() => import("./register-dialog"));

const SEARCH_DELAY_MS = 250;

export function DatasetsPage() {
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search.trim(), SEARCH_DELAY_MS);
  const [registering, { open, close }] = useDisclosure(false);
  const { value, loading, problem, reload } = useDatasets(asked);

  function list() {
    if (loading) return <LoadingLines label="Loading datasets" />;
    if (value === null) {
      return (
        <div style={{ padding: 14 }}>
          <Failure title="The datasets could not be loaded" message={problem?.message ?? ""} onRetry={reload} />
        </div>
      );
    }
    if (value.nodes.length === 0) {
      return asked === "" ? (
        <Empty icon={IconDatabase} title="No datasets yet">
          Drop a file above. Karyaksham looks at its first bytes, says what it understood, and waits for your question.
        </Empty>
      ) : (
        <Empty icon={IconSearch} title={`Nothing is named like “${asked}”`} />
      );
    }
    return <DatasetList page={value} />;
  }

  return (
    <Page
      title="Datasets"
      actions={
        <Button variant="default" leftSection={<IconFolder size={15} aria-hidden />} onClick={open}>
          Use files already there
        </Button>
      }
    >
      <DropZone />
      <UploadsPanel />
      <Panel
        title="All datasets"
        flush
        note={value ? plural(value.totalCount, "dataset") : undefined}
        actions={
          <TextInput
            size="xs"
            w={220}
            aria-label="Search datasets by name"
            placeholder="Search"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        }
      >
        {list()}
      </Panel>
      {registering ? (
        <Suspense>
          <RegisterDialog onClose={close} />
        </Suspense>
      ) : null}
    </Page>
  );
}
