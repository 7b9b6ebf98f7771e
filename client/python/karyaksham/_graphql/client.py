from collections.abc import AsyncIterator
from typing import Any, Optional, Union

from .artifact_preview import (
    ArtifactPreview,
    ArtifactPreviewNodeArtifact,
    ArtifactPreviewNodeNode,
)
from .base import Base
from .base_model import UNSET, UnsetType
from .cancel_job import CancelJob, CancelJobCancelJob
from .complete_upload import CompleteUpload, CompleteUploadCompleteUpload
from .create_job import CreateJob, CreateJobCreateJob
from .create_upload import CreateUpload, CreateUploadCreateUpload
from .dataset import Dataset, DatasetDataset
from .dataset_preview import DatasetPreview, DatasetPreviewDataset
from .dataset_profile import DatasetProfile, DatasetProfileDataset
from .datasets import Datasets, DatasetsDatasets
from .delete_dataset import DeleteDataset, DeleteDatasetDeleteDataset
from .delete_job import DeleteJob, DeleteJobDeleteJob
from .explain_job import ExplainJob, ExplainJobExplainJob
from .input_types import (
    CompleteUploadInput,
    CreateJobInput,
    CreateUploadInput,
    DatasetIdInput,
    JobFilter,
    JobIdInput,
    LoginInput,
    RegisterDatasetInput,
    RegisterInput,
    SignUploadPartsInput,
    UpdateDatasetInput,
)
from .job import Job, JobJob
from .job_events import JobEvents, JobEventsJobEvents
from .job_progress import JobProgress, JobProgressJobProgress
from .jobs import Jobs, JobsJobs
from .login import Login, LoginLogin
from .pause_job import PauseJob, PauseJobPauseJob
from .register_dataset import RegisterDataset, RegisterDatasetRegisterDataset
from .resume_job import ResumeJob, ResumeJobResumeJob
from .retry_job import RetryJob, RetryJobRetryJob
from .sign_up import SignUp, SignUpSignUp
from .sign_upload_parts import SignUploadParts, SignUploadPartsSignUploadParts
from .update_dataset import UpdateDataset, UpdateDatasetUpdateDataset


def gql(q: str) -> str:
    return q


class Operations(Base):
    async def login(self, input: LoginInput, **kwargs: Any) -> LoginLogin:
        query = gql("""
            mutation Login($input: LoginInput!) {
              login(input: $input) {
                session {
                  ...SessionFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment SessionFields on Session {
              accessToken
              accessTokenExpiresAt
              refreshToken
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="Login", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Login.model_validate(data).login

    async def sign_up(self, input: RegisterInput, **kwargs: Any) -> SignUpSignUp:
        query = gql("""
            mutation SignUp($input: RegisterInput!) {
              signUp: register(input: $input) {
                session {
                  ...SessionFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment SessionFields on Session {
              accessToken
              accessTokenExpiresAt
              refreshToken
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="SignUp", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return SignUp.model_validate(data).sign_up

    async def create_upload(
        self, input: CreateUploadInput, **kwargs: Any
    ) -> CreateUploadCreateUpload:
        query = gql("""
            mutation CreateUpload($input: CreateUploadInput!) {
              createUpload(input: $input) {
                upload {
                  ...UploadFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment UploadFields on Upload {
              id
              filename
              sizeBytes
              partSizeBytes
              partCount
              status
              receivedParts
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CreateUpload", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateUpload.model_validate(data).create_upload

    async def sign_upload_parts(
        self, input: SignUploadPartsInput, **kwargs: Any
    ) -> SignUploadPartsSignUploadParts:
        query = gql("""
            mutation SignUploadParts($input: SignUploadPartsInput!) {
              signUploadParts(input: $input) {
                parts {
                  partNumber
                  url
                  headers
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="SignUploadParts", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return SignUploadParts.model_validate(data).sign_upload_parts

    async def complete_upload(
        self, input: CompleteUploadInput, **kwargs: Any
    ) -> CompleteUploadCompleteUpload:
        query = gql("""
            mutation CompleteUpload($input: CompleteUploadInput!) {
              completeUpload(input: $input) {
                dataset {
                  ...DatasetFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment DatasetFields on Dataset {
              id
              name
              uri
              fileCount
              sizeBytes
              status
              format
              problem
              createdAt
              columns {
                ...ColumnFields
              }
              dialect {
                ...DialectFields
              }
            }

            fragment DialectFields on Dialect {
              delimiter
              quote
              escape
              comment
              hasHeader
              skipRows
              encoding
              compression
              confidence
              evidence
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CompleteUpload", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CompleteUpload.model_validate(data).complete_upload

    async def register_dataset(
        self, input: RegisterDatasetInput, **kwargs: Any
    ) -> RegisterDatasetRegisterDataset:
        query = gql("""
            mutation RegisterDataset($input: RegisterDatasetInput!) {
              registerDataset(input: $input) {
                dataset {
                  ...DatasetFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment DatasetFields on Dataset {
              id
              name
              uri
              fileCount
              sizeBytes
              status
              format
              problem
              createdAt
              columns {
                ...ColumnFields
              }
              dialect {
                ...DialectFields
              }
            }

            fragment DialectFields on Dialect {
              delimiter
              quote
              escape
              comment
              hasHeader
              skipRows
              encoding
              compression
              confidence
              evidence
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="RegisterDataset", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return RegisterDataset.model_validate(data).register_dataset

    async def update_dataset(
        self, input: UpdateDatasetInput, **kwargs: Any
    ) -> UpdateDatasetUpdateDataset:
        query = gql("""
            mutation UpdateDataset($input: UpdateDatasetInput!) {
              updateDataset(input: $input) {
                dataset {
                  ...DatasetFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment DatasetFields on Dataset {
              id
              name
              uri
              fileCount
              sizeBytes
              status
              format
              problem
              createdAt
              columns {
                ...ColumnFields
              }
              dialect {
                ...DialectFields
              }
            }

            fragment DialectFields on Dialect {
              delimiter
              quote
              escape
              comment
              hasHeader
              skipRows
              encoding
              compression
              confidence
              evidence
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="UpdateDataset", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return UpdateDataset.model_validate(data).update_dataset

    async def delete_dataset(
        self, input: DatasetIdInput, **kwargs: Any
    ) -> DeleteDatasetDeleteDataset:
        query = gql("""
            mutation DeleteDataset($input: DatasetIdInput!) {
              deleteDataset(input: $input) {
                deletedId
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="DeleteDataset", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DeleteDataset.model_validate(data).delete_dataset

    async def dataset(self, id: str, **kwargs: Any) -> Optional[DatasetDataset]:
        query = gql("""
            query Dataset($id: ID!) {
              dataset(id: $id) {
                ...DatasetFields
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment DatasetFields on Dataset {
              id
              name
              uri
              fileCount
              sizeBytes
              status
              format
              problem
              createdAt
              columns {
                ...ColumnFields
              }
              dialect {
                ...DialectFields
              }
            }

            fragment DialectFields on Dialect {
              delimiter
              quote
              escape
              comment
              hasHeader
              skipRows
              encoding
              compression
              confidence
              evidence
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="Dataset", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Dataset.model_validate(data).dataset

    async def datasets(
        self,
        after: Union[Optional[str], UnsetType] = UNSET,
        search: Union[Optional[str], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Optional[DatasetsDatasets]:
        query = gql("""
            query Datasets($after: String, $search: String) {
              datasets(first: 100, after: $after, search: $search) {
                edges {
                  node {
                    ...DatasetFields
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment DatasetFields on Dataset {
              id
              name
              uri
              fileCount
              sizeBytes
              status
              format
              problem
              createdAt
              columns {
                ...ColumnFields
              }
              dialect {
                ...DialectFields
              }
            }

            fragment DialectFields on Dialect {
              delimiter
              quote
              escape
              comment
              hasHeader
              skipRows
              encoding
              compression
              confidence
              evidence
            }
            """)
        variables: dict[str, object] = {"after": after, "search": search}
        response = await self.execute(
            query=query, operation_name="Datasets", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Datasets.model_validate(data).datasets

    async def dataset_preview(
        self, id: str, first: int, **kwargs: Any
    ) -> Optional[DatasetPreviewDataset]:
        query = gql("""
            query DatasetPreview($id: ID!, $first: Int!) {
              dataset(id: $id) {
                preview(first: $first) {
                  ...PreviewFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment PreviewFields on Preview {
              columns {
                ...ColumnFields
              }
              rows
              truncated
            }
            """)
        variables: dict[str, object] = {"id": id, "first": first}
        response = await self.execute(
            query=query, operation_name="DatasetPreview", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DatasetPreview.model_validate(data).dataset

    async def dataset_profile(
        self, id: str, **kwargs: Any
    ) -> Optional[DatasetProfileDataset]:
        query = gql("""
            query DatasetProfile($id: ID!) {
              dataset(id: $id) {
                profile {
                  ...ProfileFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment ProfileFields on ColumnProfile {
              column {
                ...ColumnFields
              }
              count
              nullCount
              approxDistinct
              min
              max
              mean
              stddev
              quantiles
              topValues
              histogram
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="DatasetProfile", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DatasetProfile.model_validate(data).dataset

    async def create_job(
        self, input: CreateJobInput, **kwargs: Any
    ) -> CreateJobCreateJob:
        query = gql("""
            mutation CreateJob($input: CreateJobInput!) {
              createJob(input: $input) {
                job {
                  ...JobFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CreateJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CreateJob.model_validate(data).create_job

    async def explain_job(
        self, input: CreateJobInput, **kwargs: Any
    ) -> Optional[ExplainJobExplainJob]:
        query = gql("""
            query ExplainJob($input: CreateJobInput!) {
              explainJob(input: $input) {
                plan {
                  effectiveSql
                  columns {
                    ...ColumnFields
                  }
                  stages {
                    index
                    name
                    taskCount
                  }
                  bytesToRead
                  text
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="ExplainJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ExplainJob.model_validate(data).explain_job

    async def cancel_job(self, input: JobIdInput, **kwargs: Any) -> CancelJobCancelJob:
        query = gql("""
            mutation CancelJob($input: JobIdInput!) {
              cancelJob(input: $input) {
                job {
                  ...JobFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="CancelJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return CancelJob.model_validate(data).cancel_job

    async def pause_job(self, input: JobIdInput, **kwargs: Any) -> PauseJobPauseJob:
        query = gql("""
            mutation PauseJob($input: JobIdInput!) {
              pauseJob(input: $input) {
                job {
                  ...JobFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="PauseJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return PauseJob.model_validate(data).pause_job

    async def resume_job(self, input: JobIdInput, **kwargs: Any) -> ResumeJobResumeJob:
        query = gql("""
            mutation ResumeJob($input: JobIdInput!) {
              resumeJob(input: $input) {
                job {
                  ...JobFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="ResumeJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ResumeJob.model_validate(data).resume_job

    async def retry_job(self, input: JobIdInput, **kwargs: Any) -> RetryJobRetryJob:
        query = gql("""
            mutation RetryJob($input: JobIdInput!) {
              retryJob(input: $input) {
                job {
                  ...JobFields
                }
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="RetryJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return RetryJob.model_validate(data).retry_job

    async def delete_job(self, input: JobIdInput, **kwargs: Any) -> DeleteJobDeleteJob:
        query = gql("""
            mutation DeleteJob($input: JobIdInput!) {
              deleteJob(input: $input) {
                deletedId
                errors {
                  __typename
                  ...ErrorFields
                }
              }
            }

            fragment ErrorFields on UserError {
              code
              message
              field
              ... on LimitError {
                limit
                retryAfterSeconds
              }
            }
            """)
        variables: dict[str, object] = {"input": input}
        response = await self.execute(
            query=query, operation_name="DeleteJob", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return DeleteJob.model_validate(data).delete_job

    async def job(self, id: str, **kwargs: Any) -> Optional[JobJob]:
        query = gql("""
            query Job($id: ID!) {
              job(id: $id) {
                ...JobFields
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        response = await self.execute(
            query=query, operation_name="Job", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Job.model_validate(data).job

    async def jobs(
        self,
        after: Union[Optional[str], UnsetType] = UNSET,
        filter_: Union[Optional[JobFilter], UnsetType] = UNSET,
        **kwargs: Any,
    ) -> Optional[JobsJobs]:
        query = gql("""
            query Jobs($after: String, $filter: JobFilter) {
              jobs(first: 100, after: $after, filter: $filter) {
                edges {
                  node {
                    ...JobFields
                  }
                }
                pageInfo {
                  hasNextPage
                  endCursor
                }
              }
            }

            fragment ArtifactFields on Artifact {
              id
              kind
              name
              format
              sizeBytes
              rowCount
              sha256
              downloadUrl
            }

            fragment JobFields on Job {
              id
              name
              state
              sql
              effectiveSql
              steps
              createdAt
              startedAt
              finishedAt
              rowBalance {
                read
                passed
                rejected
                written
                closes
              }
              failure {
                kind
                code
                message
                hint
                retryable
                detail
              }
              artifacts {
                ...ArtifactFields
              }
            }
            """)
        variables: dict[str, object] = {"after": after, "filter": filter_}
        response = await self.execute(
            query=query, operation_name="Jobs", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return Jobs.model_validate(data).jobs

    async def artifact_preview(
        self, id: str, first: int, **kwargs: Any
    ) -> Optional[Union[ArtifactPreviewNodeNode, ArtifactPreviewNodeArtifact]]:
        query = gql("""
            query ArtifactPreview($id: ID!, $first: Int!) {
              node(id: $id) {
                __typename
                ... on Artifact {
                  preview(first: $first) {
                    ...PreviewFields
                  }
                }
              }
            }

            fragment ColumnFields on Column {
              name
              type
              nullable
            }

            fragment PreviewFields on Preview {
              columns {
                ...ColumnFields
              }
              rows
              truncated
            }
            """)
        variables: dict[str, object] = {"id": id, "first": first}
        response = await self.execute(
            query=query, operation_name="ArtifactPreview", variables=variables, **kwargs
        )
        data = self.get_data(response)
        return ArtifactPreview.model_validate(data).node

    async def job_progress(
        self, id: str, **kwargs: Any
    ) -> AsyncIterator[JobProgressJobProgress]:
        query = gql("""
            subscription JobProgress($id: ID!) {
              jobProgress(jobId: $id) {
                ...ProgressFields
              }
            }

            fragment ProgressFields on JobProgress {
              jobId
              state
              fraction
              bytesRead
              bytesTotal
              rowsRead
              rowsWritten
              rowsRejected
              bytesPerSecond
              rowsPerSecond
              etaSeconds
              lastTickAt
              stages {
                index
                name
                state
                taskCount
                tasksDone
                bytesRead
                bytesTotal
              }
            }
            """)
        variables: dict[str, object] = {"id": id}
        async for data in self.execute_ws(
            query=query, operation_name="JobProgress", variables=variables, **kwargs
        ):
            yield JobProgress.model_validate(data).job_progress

    async def job_events(
        self, id: str, after: int, **kwargs: Any
    ) -> AsyncIterator[JobEventsJobEvents]:
        query = gql("""
            subscription JobEvents($id: ID!, $after: Int!) {
              jobEvents(jobId: $id, after: $after) {
                ...EventFields
              }
            }

            fragment EventFields on JobEvent {
              seq
              at
              kind
              message
              data
            }
            """)
        variables: dict[str, object] = {"id": id, "after": after}
        async for data in self.execute_ws(
            query=query, operation_name="JobEvents", variables=variables, **kwargs
        ):
            yield JobEvents.model_validate(data).job_events
