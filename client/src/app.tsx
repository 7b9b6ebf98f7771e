import { Center, Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { SessionClient } from "./api/provider";
import { useSession } from "./api/session";
import { UnreachablePage } from "./features/session/unreachable-page";
import { UploadsProvider } from "./features/uploads/uploads-provider";
import { NotFoundPage } from "./not-found-page";
import { Shell } from "./shell";
import { assertNever } from "./ui/assert-never";
import { shell as words } from "./words/shell";

// Each page is loaded when it is opened: nobody waits for the editor to see a list.
const DatasetsPage = lazy(async () => ({ default: (await import("./features/datasets/datasets-page")).DatasetsPage }));
const DatasetPage = lazy(async () => ({ default: (await import("./features/datasets/dataset-page")).DatasetPage }));
const HistoryPage = lazy(async () => ({ default: (await import("./features/jobs/history-page")).HistoryPage }));
const SignInPage = lazy(async () => ({ default: (await import("./features/session/sign-in-page")).SignInPage }));
const NewJobPage = lazy(() => import("./features/jobs/new-job-page"));
const AccountPage = lazy(() => import("./features/account/account-page"));
const AdminPage = lazy(() => import("./features/admin/admin-page"));
const JobPage = lazy(() => import("./features/jobs/job-page"));

function Waiting({ label }: { label: string }) {
  return (
    <Center h="60vh">
      <Loader aria-label={label} />
    </Center>
  );
}

export function App() {
  const state = useSession();
  switch (state.kind) {
    case "restoring":
      return <Waiting label={words.restoring} />;
    case "unreachable":
      return <UnreachablePage />;
    case "signedOut":
      return (
        <Suspense fallback={<Waiting label={words.loadingPage} />}>
          <SignInPage expired={state.expired} />
        </Suspense>
      );
    case "signedIn":
      return (
        <SessionClient key={state.session.user.id}>
          <UploadsProvider userId={state.session.user.id}>
            <Shell user={state.session.user}>
              <Suspense fallback={<Waiting label={words.loadingPage} />}>
                <Routes>
                  <Route index element={<Navigate to="/datasets" replace />} />
                  <Route path="/datasets" element={<DatasetsPage />} />
                  <Route path="/datasets/:id" element={<DatasetPage />} />
                  <Route path="/jobs" element={<HistoryPage />} />
                  <Route path="/jobs/new" element={<NewJobPage />} />
                  <Route path="/jobs/:id" element={<JobPage />} />
                  <Route path="/account" element={<AccountPage />} />
                  <Route path="/admin/:area?" element={<AdminPage />} />
                  <Route path="*" element={<NotFoundPage />} />
                </Routes>
              </Suspense>
            </Shell>
          </UploadsProvider>
        </SessionClient>
      );
    default:
      return assertNever(state);
  }
}
