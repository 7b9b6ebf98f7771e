import { Center, Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { SessionClient } from "./api/provider";
import { useSession } from "./api/session";
import { DatasetPage } from "./features/datasets/dataset-page";
import { DatasetsPage } from "./features/datasets/datasets-page";
import { HistoryPage } from "./features/jobs/history-page";
import { SignInPage } from "./features/session/sign-in-page";
import { UnreachablePage } from "./features/session/unreachable-page";
import { UploadsProvider } from "./features/uploads/uploads-provider";
import { NotFoundPage } from "./not-found-page";
import { Shell } from "./shell";
import { assertNever } from "./ui/assert-never";

// The editor and the plot are the heavy pages; the first page does not wait for them.
const NewJobPage = lazy(() => import("./features/jobs/new-job-page"));
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
      return <Waiting label="Restoring the session" />;
    case "unreachable":
      return <UnreachablePage />;
    case "signedOut":
      return <SignInPage expired={state.expired} />;
    case "signedIn":
      return (
        <SessionClient key={state.session.user.id}>
          <UploadsProvider userId={state.session.user.id}>
            <Shell user={state.session.user}>
              <Suspense fallback={<Waiting label="Loading the page" />}>
                <Routes>
                  <Route index element={<Navigate to="/datasets" replace />} />
                  <Route path="/datasets" element={<DatasetsPage />} />
                  <Route path="/datasets/:id" element={<DatasetPage />} />
                  <Route path="/jobs" element={<HistoryPage />} />
                  <Route path="/jobs/new" element={<NewJobPage />} />
                  <Route path="/jobs/:id" element={<JobPage />} />
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
