from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE "users" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "email" VARCHAR(254) NOT NULL UNIQUE,
    "display_name" VARCHAR(100) NOT NULL,
    "password_hash" VARCHAR(100) NOT NULL,
    "role" VARCHAR(16) NOT NULL,
    "is_active" BOOL NOT NULL
);
COMMENT ON COLUMN "users"."role" IS 'VIEWER: VIEWER\nMEMBER: MEMBER\nADMIN: ADMIN';
CREATE TABLE "jobs" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "sql" TEXT,
    "steps" JSONB,
    "is_profile" BOOL NOT NULL,
    "effective_sql" TEXT,
    "spec" JSONB NOT NULL,
    "priority" INT NOT NULL,
    "progress" JSONB,
    "fraction" DOUBLE PRECISION NOT NULL,
    "progress_at" TIMESTAMPTZ,
    "rows_read" BIGINT,
    "rows_passed" BIGINT,
    "rows_rejected" BIGINT,
    "rows_written" BIGINT,
    "failure" JSONB,
    "event_seq" BIGINT NOT NULL,
    "cancel_requested_at" TIMESTAMPTZ,
    "pause_requested_at" TIMESTAMPTZ,
    "lease_owner" VARCHAR(64),
    "lease_epoch" INT NOT NULL,
    "lease_expires_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ,
    "finished_at" TIMESTAMPTZ,
    "deleted_at" TIMESTAMPTZ,
    "idempotency_key" VARCHAR(200),
    "input_hash" VARCHAR(64),
    "owner_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_jobs_owner_i_cbd62b" UNIQUE ("owner_id", "idempotency_key")
);
CREATE INDEX "idx_jobs_owner_i_1462e9" ON "jobs" ("owner_id", "deleted_at", "id");
CREATE INDEX "idx_jobs_state_dfeb8e" ON "jobs" ("state", "priority", "id");
COMMENT ON COLUMN "jobs"."state" IS 'QUEUED: QUEUED\nPLANNING: PLANNING\nRUNNING: RUNNING\nPAUSED: PAUSED\nFINALIZING: FINALIZING\nCANCELING: CANCELING\nSUCCEEDED: SUCCEEDED\nFAILED: FAILED\nCANCELED: CANCELED';
CREATE TABLE "artifacts" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(16) NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "path" VARCHAR(2000) NOT NULL,
    "format" VARCHAR(16),
    "size_bytes" BIGINT NOT NULL,
    "row_count" BIGINT,
    "sha256" VARCHAR(64),
    "columns" JSONB NOT NULL,
    "job_id" UUID NOT NULL REFERENCES "jobs" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_artifacts_job_id_8706ee" UNIQUE ("job_id", "kind", "name")
);
COMMENT ON COLUMN "artifacts"."kind" IS 'OUTPUT: OUTPUT\nREJECTS: REJECTS\nPROFILE: PROFILE\nREPORT: REPORT';
COMMENT ON COLUMN "artifacts"."format" IS 'CSV: CSV\nNDJSON: NDJSON\nPARQUET: PARQUET\nARROW: ARROW';
CREATE TABLE "job_events" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "seq" BIGINT NOT NULL,
    "kind" VARCHAR(64) NOT NULL,
    "message" TEXT NOT NULL,
    "data" JSONB,
    "job_id" UUID NOT NULL REFERENCES "jobs" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_job_events_job_id_bb394e" UNIQUE ("job_id", "seq")
);
COMMENT ON TABLE "job_events" IS 'A fact about a job; never changed. `created_at` is when it happened.';
CREATE TABLE "job_tasks" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stage" INT NOT NULL,
    "shard" INT NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "attempt" INT NOT NULL,
    "bytes_read" BIGINT NOT NULL,
    "bytes_total" BIGINT NOT NULL,
    "rows_read" BIGINT NOT NULL,
    "node" VARCHAR(255),
    "started_at" TIMESTAMPTZ,
    "finished_at" TIMESTAMPTZ,
    "failure" JSONB,
    "record" JSONB,
    "job_id" UUID NOT NULL REFERENCES "jobs" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_job_tasks_job_id_22a1d4" UNIQUE ("job_id", "stage", "shard")
);
COMMENT ON COLUMN "job_tasks"."state" IS 'PENDING: PENDING\nRUNNING: RUNNING\nSUCCEEDED: SUCCEEDED\nFAILED: FAILED\nSKIPPED: SKIPPED';
COMMENT ON TABLE "job_tasks" IS 'One shard of one stage: its latest progress, and once it is done the record that spares doing it again.';
CREATE TABLE "session_families" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "revoked_at" TIMESTAMPTZ,
    "revoked_reason" VARCHAR(32),
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "session_families" IS 'One sign-in and every token that came from it. Revoked as a whole.';
CREATE TABLE "refresh_tokens" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "token_hash" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "used_at" TIMESTAMPTZ,
    "family_id" UUID NOT NULL REFERENCES "session_families" ("id") ON DELETE CASCADE
);
CREATE INDEX "idx_refresh_tok_expires_310999" ON "refresh_tokens" ("expires_at");
COMMENT ON TABLE "refresh_tokens" IS 'A refresh token as its SHA-256; the token itself is nowhere. Used once: a second use revokes the family.';
CREATE TABLE "uploads" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "filename" VARCHAR(255) NOT NULL,
    "content_type" VARCHAR(100),
    "size_bytes" BIGINT NOT NULL,
    "part_size_bytes" BIGINT NOT NULL,
    "part_count" INT NOT NULL,
    "status" VARCHAR(16) NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "idempotency_key" VARCHAR(200),
    "input_hash" VARCHAR(64),
    "owner_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_uploads_owner_i_cb9154" UNIQUE ("owner_id", "idempotency_key")
);
CREATE INDEX "idx_uploads_status_1c4d9f" ON "uploads" ("status", "expires_at");
COMMENT ON COLUMN "uploads"."status" IS 'RECEIVING: RECEIVING\nCOMPLETED: COMPLETED\nABORTED: ABORTED\nEXPIRED: EXPIRED';
CREATE TABLE "datasets" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "uri" VARCHAR(2000) NOT NULL,
    "files" JSONB NOT NULL,
    "file_count" INT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "status" VARCHAR(16) NOT NULL,
    "format" VARCHAR(16) NOT NULL,
    "format_override" VARCHAR(16),
    "dialect" JSONB,
    "dialect_overrides" JSONB,
    "columns" JSONB NOT NULL,
    "column_overrides" JSONB,
    "revision" INT NOT NULL,
    "profile" JSONB,
    "problem" TEXT,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "deleted_at" TIMESTAMPTZ,
    "idempotency_key" VARCHAR(200),
    "input_hash" VARCHAR(64),
    "owner_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    "upload_id" UUID REFERENCES "uploads" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_datasets_owner_i_34e129" UNIQUE ("owner_id", "idempotency_key")
);
CREATE INDEX "idx_datasets_owner_i_7fa921" ON "datasets" ("owner_id", "deleted_at", "id");
CREATE INDEX "idx_datasets_status_ddfdee" ON "datasets" ("status", "id");
COMMENT ON COLUMN "datasets"."status" IS 'INSPECTING: INSPECTING\nREADY: READY\nINVALID: INVALID';
COMMENT ON COLUMN "datasets"."format" IS 'CSV: CSV\nNDJSON: NDJSON\nPARQUET: PARQUET\nARROW: ARROW';
COMMENT ON COLUMN "datasets"."format_override" IS 'CSV: CSV\nNDJSON: NDJSON\nPARQUET: PARQUET\nARROW: ARROW';
CREATE TABLE "job_sources" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "position" INT NOT NULL,
    "alias" VARCHAR(128) NOT NULL,
    "dataset_id" UUID NOT NULL REFERENCES "datasets" ("id") ON DELETE CASCADE,
    "job_id" UUID NOT NULL REFERENCES "jobs" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_job_sources_job_id_c57061" UNIQUE ("job_id", "alias")
);
COMMENT ON TABLE "job_sources" IS 'A dataset under the table name that the job''s SQL uses.';
CREATE TABLE "upload_parts" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" INT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "etag" VARCHAR(64) NOT NULL,
    "upload_id" UUID NOT NULL REFERENCES "uploads" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_upload_part_upload__4c42ea" UNIQUE ("upload_id", "number")
);
COMMENT ON TABLE "upload_parts" IS 'A part that storage holds whole. Written last, after its bytes.';
CREATE TABLE "aerich" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "version" VARCHAR(255) NOT NULL,
    "app" VARCHAR(100) NOT NULL,
    "content" JSONB NOT NULL
);"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        """


MODELS_STATE = (
    "eJztXVtz2zYW/isYvWx2xvXEcuxk1Z2dkWS6VSpLri5JNlGHhSXIYk2RKkHacbv57wuAdx"
    "KUSIqUKQYvIQ3gINR3cDlX4O/GPTTRE3w+bRumsoRzs9ECfzc0uEbkJV55AhpwswlU0RIT"
    "3qmsOXSaYdbuDpuG3eESqhiRogXCc0PZmIqukVLNUlVaqM9JQ0W794ssTfnTQrKp3yNzhQ"
    "xS8eVL4w/9TlYWtOcHRWNP9pW//UbeSAH6ijBtSP/cPMhLBamL0G+xaVm5bD5vWNl02ru6"
    "Zi3ph9zJc1211prfevNsrnTNa25ZyuKU0tC6e6Qhg4CwCPxA+v0OGG6R/VtIgWlYyPvUhV"
    "+wQEtoqRSmxr+Xljan6AAX+LW+QCo+1dAT+e3/cb4yQCHLg+FEHksTWW5kAHiua5Q5imZS"
    "zP7+ZvfrY8NKG/Q/6P7cHr06v/wnQ0PH5r3BKhlyjW+MEJrQJmX4+4DPDUThkaEZB/6K1J"
    "jKGvHBD1NGmLBwSE/dlzzMcAt8bvhjNAU79KeX4MWkdyONJ+2bW9r9GuM/VQZleyLRmiYr"
    "fY6UvrJZp5OZaM9RrxPwsTf5GdA/wefhQIoy2Gs3+dyg3wQtU5fJD5fhIgiXW+wWkab+CH"
    "Anapj33RU0JM1aM973yI+H2hzFxoBLG+E+gaosfrssSs/UxnA6uZ1OWsB+zrSR9F7qTsYt"
    "4LzMtNvR8LrXl1rAeaFtboejCW1Cn41Ug6Kxhl9lFWn35or8eXa5ZZB8aI/YnD2LMn7g1D"
    "RZ1bcQo9iTyyj+BHXbV5k5qWdcGNzmxUUKdEmrRHhZXRjfDSR9Z8DXbV9HfF+/fp0GYNIs"
    "GWFWGYZ4qRtr3k6TbrXxqXNB7mzlZS833fGHFiD/zLTB1fvxcNAC9pMsM+3Rr1OJrCrOy0"
    "xrj0bDjy3AHtVYZLDyF5Lvnk2E41zqKPc9zeRPhjBdhD/k449xStzTj/jhX83m+fnb5uvz"
    "y3cXb96+vXj3+h1py744XvV2Cz86vZ96g0mYFbQgzACD7N5z3dI4s2Qb/iGyXPAfZnpUHH"
    "28gs2Lyyy7gE9R4UUp5zZw+SbF8nL5JnF5oVVhfG3cOGsLXSET9AyfJKpkKHMT/A+oCi5t"
    "eQmoF3eWopqKhk/p//cSmgWFKKRUuEC/uml/ivKg2x92otoC7aATYYivsKdVun2KIhXvFx"
    "73+ZVraspYPnB1a4JUHNhr3UDKvfYLeo4JOxE8XX32vd3NcSLql/qLnQGfPNNPYDiRn04U"
    "d2TaC2573G1fSQ2G7x2cPzxBYyGHgKY1elOPlHht41Xr5jpaAjV4z7ChP4J+sgv6FTQhRn"
    "xDm1t3stXOtrBblWJm05/IWHBgUxZovdFNpM2f5Qf0HLO1hVvbCLtWG1JGWn8hexU0LeyW"
    "COucsM4J61w1rHPC6FOu0ccylCzwOs3riG5ZJh9F5dkSkuV9j0BI+4VL+xTbJOtComkhTH"
    "Q4085ZWePetiw0z968ffPu/PKNZ1DwSrbZETg2gyMzmb0uF9dDW2w80TWPSdmnPtySTn7E"
    "+FbqTnqDnzKuKwHKFvDfqbuqffVf6q0ij5nWI0tFv3dFm7CXaliWX9T2fyhf43Eb/22QZf"
    "0RGQZRK/fjVaibCttGj5xnCwWqaM6ZV8kSVoBkLxmrYrbrQwtTDozeOM8k5XKJBTfyc0N4"
    "FirJkHyzg0crJkd+XhjoUcH0G2M8SHYoB0hqo5sUpvNtDJ2qxVnGdIBEDOX8Q5nASHBYx5"
    "GfoK8JQzlAUmE5tBDztvRpsh1xz7rdHw5+cptH2RAxkW4WOZ0QYcqXckKUaUI1EFwMNfXZ"
    "GSXH63lwvj4g3YYchVm4HqYsgOtHNP+qzeS4eynqPI6xOtkVwiGtw+oa84qkc4ps84lEVX"
    "ZF21imvII4U7hxmKp+UBcfbBaMe0gbtBCkEfFNMUlA1eEiI6Ihoj0grdjgLSVijI2+OLjZ"
    "Y8amGFXILF540FhwlvLDxuLDthBYvZ4yDtbdkUsVQDU0U7NG44VDSrFuGXOuQ9Qhvv5lhF"
    "Ro8g0MgcjHMeuoRkP5W6lhizRWlBey6MSQbglXJFw7mlBFe4oaim4o5rNbKaIWRdSiiFqs"
    "hlopohbLjVr0FsG8MS8HRrvx61SaSlcZp45D1QL2c6bd9tuDAQt+cd9m2mjqFDkv1Gs/HV"
    "Mq+znTrnuDdr/3mTXy32datz3oSn1W7L3OtPG025WkK9qB90r6aPf6tMh+urS0xH1r5Bgb"
    "JaRvkkUgNiySLeNO8zoYEw5tFccm2mTyaXoEwvuT3/ujYDnR9dbRdRVBLUGsCxFGWHBHKM"
    "ta+rySw6LfGQ77IfQ7veignt50JLK8MFaQRoqt6sV9nWi5REQaekRyxtUlRijWmRzrzAbN"
    "My0zTvvDR7TUaJkJ6pYp4yWCJCJeghMvQfHOtGEGacSeuUfSBzXncIN/rlUdJiV9BIgi4C"
    "8pVWkD+rSsIb0F9qvhtNOXwO1I6vbGPYcFnkLNKsOb5Ehq9xNGeA6rR4RUeMyrbNow9Ccs"
    "07APjgC6/XwWn0ycz5I324fBuIEYozz4+4SCA3txwEB/EMk+Fw+CpIILe3HhicibJuLs6z"
    "uZEKAUPMjLgyVUVMvIFAMcIBESbX6JFj0izZQx+jPb0A+R1UZHO/Con1OfgkqWcQIAzunl"
    "43ch5N4qy70baGG0F9v5PQiuV5nrKoKEZwlhacn+3AhZHey+ZQer2pChjT7nRAUnbmkRqt"
    "psaoUZHh2Avm4UMityLFo8erFkVXnJwiY08m1QYUrB5SpzealoCl7lYnOEVPC5ynwWaWjf"
    "A5dFGppIQ6sI1CINTSRNHSWoBSRNpcnuCV0ft0duT/C2upoAHrdRF5AAJdF+6gqSSBNLBZ"
    "MJ8UMBIE1IN3WCqOxMOnvqJaTTefNye06d7K8DOzPrGm1AV0QA73SL/AsI+Y9AIx0YYL6C"
    "GvnOU/C7nyL1O1AweFohDSgmWJHPIGxdnDYimBbW6Y77PqlbTVzzKVLyREpeNVXszN7yg/"
    "vJaxcgknyzKh/xY7hNtTJa9RphTLbuOL7J+SgBklpAfOhUFLq7xPHecsat016EOon72apo"
    "OBL3sx3v/Wy+zp+gn/kWgR0KWsAGkUZDc651AxZhmwGIJgRYb4B+AvkTmqyMdPwPDMa/9o"
    "GFEeYpZbn72aGHQVWBWGhiQhMraUkSmtjekZQ6Vvj5eMnJpQGSOilkhYV52ateDNBkXcsj"
    "qIUmEDlWpPkuzbkizXfJB4vQurjwT/arjMJomEoIpEK6F9L9MUn3nBWgCFADNyjXFNjwwl"
    "c11Yl5AhMUJ9dLuENt8nySu5WmoYYAJjvxAuhLoNM/TPJpLaCYGKike2wCNwX+BECNNCOj"
    "h/qfFAwWtD3VhAw010kPTDPCG0gakzrCKdoO3hNOxJWsA/6/u5xjpmN3ZJ8jtDOhnZW08g"
    "ntrID0AZ5XIdlNZvJdCkIvY+iw9S4Dmm57gWbCXbdHdeznrTS4ynHNrUPWAs4L75TPdOd0"
    "jn/p3d6yNvZLVEZIpU4XfkonNE203mS5gztAIXL8otOC3aGd40yeMF1tcD1wlIONoqmbkH"
    "M45G74PUKB/14H8hz+QCqBfUPTk27J5oPutq9f2kxZx5yLVN7aa1wilfc74bM4L+vFrn+m"
    "NswswPsUAncRvCfce9VE9FiD90ZoSfi8mugPSGvw3FChBidbfVGG3ZTokaRt6ig+hwowKg"
    "Ax8wmNf27/0Ly4/NGOxmM1pBipS+oQIrvaChnoFEwxsj1FLQABJuuktqDBeaTLR0KCGfES"
    "rhX1mRf2d7j/mOOSEm4n4XYSbqdKCsds1mc+jCNMVYxh/0WvKi07ayj/QXCFHwGXYqK9wC"
    "WxtZhMZFfMs5YGyIQlocr8taWcjKpViEhoV9u1KxusIhSsMcKY/KJrr8PjhHenqhUaXpXS"
    "tsIc4KlbMR5t0bew3VZmv1dJmzfFQvHIwPlB0VikHT1/4tlRdVho3ZymPS0NfU00n1MwYi"
    "rNgupHEDytdBUlRPft3aXQkqq1Jp0ILUls/Ikb/3GJ71URA46OzbZFK89ED1MKKf4YuEzW"
    "ZszLhkw2e8Qp6xdQcd5MYfs4bybaPmjVt6hWnPUY0gCJ0Ji2a0wWFoeQplCTAiMq/xmkvq"
    "8nEu+W5UDEqI+pJoCXeyridKPqMKwGRapOtmqPFmuUTmlMhoKbbRU83jZ6KHg04eoLi4a3"
    "2HcEJMPfhK4ndD2h61VDPFwqRBaC60zxtUGaGh7sUEqQLfkfTXovIgMqA9ZRuvqJ4Gepbl"
    "0423Lrwln81gWs/IVklvrAkV+2HccZoqtTetyBY/Y30DDlvFzgEAtW7MeKuW5pWVLhwkR1"
    "Qr/QPFEr4TikdImi1oHPRmqMpK7U+5AjV9QjbAHvdaZ1hze3fWlCMz+915nW7gxHrMx5mW"
    "nSp9veiJY4L1EvU6ptovD8UGHm/k4kXJH48j3wWdxuJm43qwjU4nazY/MriNvN0jkWirnd"
    "zDm2bV/fQvrz7Sq2WiR6FaJq274I2d6CW9JTjcbkIXwvDLJk/4uL6E4fjOxxMU2+FG3snI"
    "Fnkn3hHoGVTj7aCaQDHw3FJEIKUCE2TwBcmshgiU3MSMJLg9q7P64LyPll9iJA9Nw7UiHO"
    "2hMuHuHiqaZi5EzRGPcTbX8+gbD78ex+wrfwsgZtZML7LOqm276GvsriNc3Q7p46gi1IJH"
    "TNHTFsXgjP3sqm19Nx4ro7ji04riqV7sP0fK6C4BgAtqkGpEkJwVlCBBciuBDBKymCozVU"
    "OOd2bhFZXILanTbQvEgjspBWW6KrYkLLQsEbFT7LWSPZonQ1lBBLCa/aQIyfdLKJZvX8xA"
    "gF4ukQN3Q195nkLu0BA01upJuONMq4NTQ+9KSP0qgF7OdMs3tpAfs509pXN71BC7BH1Nz5"
    "MjEkCpaJ/KY8cnjT0QnsUEuQqoJ0Eb7cEcKyGOOu+4fdrzvDYT+0VXd60YuQp5TDr84Y9K"
    "SRYgZ0/5guVUkfU9UWpVROpj/0u30RqtfZfmFLn30Kw74I1fVwDo7dqBiHZZ0wKtUK0UaG"
    "Ml81eHYIp+pkqyUC+o0qY4pItJ9zLREcu7mzx1VXHyrEH5FsbnhEBuZefJsslgdIaiiQl5"
    "LQQ2dVBoSd5jVEtxR1x0l7iiOcfJh2gGSv07SrhvYWcAs7TjuDhF38fvbt/0MRX6U="
)
