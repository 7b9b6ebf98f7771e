import { Button } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { Link } from "react-router";
import { Page } from "./ui/page";
import { Empty } from "./ui/states";

export function NotFoundPage() {
  return (
    <Page title="Nothing here">
      <Empty
        icon={IconMapOff}
        title="There is no page at this address"
        action={
          <Button component={Link} to="/datasets" variant="default">
            Go to datasets
          </Button>
        }
      />
    </Page>
  );
}
