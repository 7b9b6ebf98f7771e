import { Tabs } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import { useNavigate, useParams } from "react-router";
import { useSession } from "../../api/session";
import { Page } from "../../ui/page";
import { Empty } from "../../ui/states";
import { admin as words } from "../../words/admin";
import { AuditPanel } from "./audit-panel";
import { NodesPanel } from "./nodes-panel";
import { UsersPanel } from "./users-panel";

const areas = [
  { area: "users", Panel: UsersPanel },
  { area: "nodes", Panel: NodesPanel },
  { area: "audit", Panel: AuditPanel },
] as const;

/** What only administrators see; the area stands in the address. */
export default function AdminPage() {
  const { area = "users" } = useParams();
  const navigate = useNavigate();
  const state = useSession();
  const isAdmin = state.kind === "signedIn" && state.session.user.role === "ADMIN";
  return (
    <Page title={words.title}>
      {isAdmin ? (
        <Tabs value={area} onChange={(next) => void navigate(`/admin/${next ?? "users"}`)} keepMounted={false}>
          <Tabs.List mb="md" aria-label={words.areasLabel}>
            {areas.map(({ area: value }) => (
              <Tabs.Tab key={value} value={value}>
                {words.areas[value]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {areas.map(({ area: value, Panel }) => (
            <Tabs.Panel key={value} value={value}>
              <Panel />
            </Tabs.Panel>
          ))}
        </Tabs>
      ) : (
        <Empty icon={IconShieldLock} title={words.forbidden}>
          {words.forbiddenSays}
        </Empty>
      )}
    </Page>
  );
}
