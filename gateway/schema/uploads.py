"""Uploads: signed parts in, a dataset out."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from gateway import uploads
from gateway.errors import BadInput, NotFound
from gateway.schema.context import Context, Info, signed_in
from gateway.schema.datasets import Dataset, DatasetPayload
from gateway.schema.errors import UserError, UserErrors
from gateway.schema.permissions import DATASETS, SIGNED_IN
from gateway.schema.relay import BigInt, Node, global_id, local_id

UploadStatus = strawberry.enum(uploads.UploadStatus, name="UploadStatus")


@strawberry.type
class Upload(Node):
    filename: str
    size_bytes: BigInt
    part_size_bytes: BigInt
    part_count: int
    status: uploads.UploadStatus
    expires_at: datetime
    row_id: strawberry.Private[UUID]

    @strawberry.field(
        description="Part numbers (from 1) that storage holds, so that a client that comes back sends only the rest."
    )
    async def received_parts(self, info: Info) -> list[int]:
        if self.status is uploads.UploadStatus.COMPLETED:
            return list(range(1, self.part_count + 1))
        return await info.context.loader(info.context.services.parts.received).load(self.row_id)

    @classmethod
    def of(cls, row: uploads.Upload) -> Self:
        return cls(
            id=global_id("Upload", row.id),
            filename=row.filename,
            size_bytes=BigInt(row.size_bytes),
            part_size_bytes=BigInt(row.part_size_bytes),
            part_count=row.part_count,
            status=row.status,
            expires_at=row.expires_at,
            row_id=row.id,
        )


@strawberry.type(
    description="Where to PUT one part: object storage itself, or the gateway when files are stored on local disk."
)
class SignedPart:
    part_number: int
    url: str
    headers: JSON
    expires_at: datetime


@strawberry.type
class UploadPayload:
    upload: Upload | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class SignUploadPartsPayload:
    parts: list[SignedPart] | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class CreateUploadInput:
    filename: str
    size_bytes: BigInt
    content_type: str | None = None
    idempotency_key: str | None = None


@strawberry.input
class SignUploadPartsInput:
    upload_id: strawberry.ID
    part_numbers: list[int]


@strawberry.input
class UploadedPartInput:
    part_number: int
    etag: str


@strawberry.input
class CompleteUploadInput:
    upload_id: strawberry.ID
    parts: list[UploadedPartInput]
    dataset_name: str | None = None


@strawberry.input
class UploadIdInput:
    upload_id: strawberry.ID


@strawberry.type
class UploadQuery:
    @strawberry.field(extensions=[SIGNED_IN])
    async def upload(self, info: Info, id: strawberry.ID) -> Upload | None:
        try:
            return Upload.of(await uploads.find(signed_in(info), local_id(id, "Upload")))
        except NotFound:
            return None


@strawberry.type
class UploadMutation:
    @strawberry.mutation(extensions=[UserErrors(UploadPayload), DATASETS])
    async def create_upload(self, info: Info, input: CreateUploadInput) -> UploadPayload:
        upload = await uploads.create(
            info.context.settings,
            info.context.services.parts,
            signed_in(info),
            filename=input.filename,
            size_bytes=input.size_bytes,
            content_type=input.content_type,
            idempotency_key=input.idempotency_key,
        )
        return UploadPayload(upload=Upload.of(upload))

    @strawberry.mutation(extensions=[UserErrors(SignUploadPartsPayload), DATASETS])
    async def sign_upload_parts(self, info: Info, input: SignUploadPartsInput) -> SignUploadPartsPayload:
        upload_id = local_id(input.upload_id, "Upload", field="uploadId")
        context = info.context
        links = await uploads.part_links(
            context.settings, context.services.parts, signed_in(info), upload_id, input.part_numbers
        )
        return SignUploadPartsPayload(
            parts=[
                SignedPart(
                    part_number=link.part_number,
                    url=context.base_url + link.url if link.url.startswith("/") else link.url,
                    headers=JSON({"content-type": "application/octet-stream"}),
                    expires_at=link.expires_at,
                )
                for link in links
            ]
        )

    @strawberry.mutation(
        extensions=[UserErrors(DatasetPayload), DATASETS],
        description="Makes a dataset of an upload whose every part is there. Again: the same dataset.",
    )
    async def complete_upload(self, info: Info, input: CompleteUploadInput) -> DatasetPayload:
        etags = {part.part_number: part.etag for part in input.parts}
        if len(etags) != len(input.parts):
            raise BadInput("A part is named twice.", field=["input", "parts"])
        context = info.context
        dataset = await uploads.complete(
            context.services.parts,
            signed_in(info),
            local_id(input.upload_id, "Upload", field="uploadId"),
            etags=etags,
            dataset_name=input.dataset_name,
        )
        if context.services.inspector is not None:
            context.services.inspector.wake()
        return DatasetPayload(dataset=Dataset.of(dataset))

    @strawberry.mutation(
        extensions=[UserErrors(UploadPayload), DATASETS],
        description="Gives the room back; what was sent is gone.",
    )
    async def abort_upload(self, info: Info, input: UploadIdInput) -> UploadPayload:
        upload_id = local_id(input.upload_id, "Upload", field="uploadId")
        context = info.context
        upload = await uploads.abort(context.services.parts, signed_in(info), upload_id)
        return UploadPayload(upload=Upload.of(upload))


async def load_node(context: Context, id: UUID) -> Upload | None:
    """For `node`: the viewer's own."""
    if context.viewer is None:
        return None
    try:
        return Upload.of(await uploads.find(context.viewer, id))
    except NotFound:
        return None
