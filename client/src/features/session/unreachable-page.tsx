import { Center } from "@mantine/core";
import { restoreSession } from "../../api/session";
import { Failure } from "../../ui/states";

export function UnreachablePage() {
  return (
    <Center component="main" h="70vh" px="md">
      <Failure
        title="The service does not answer"
        message="It may be starting, or the connection is down. This page tries again every few seconds."
        onRetry={() => void restoreSession()}
      />
    </Center>
  );
}
