/** What a person does, from the first sign-in to the downloaded result, in a real browser against the real service. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axe, follow, visit, type Visit } from "./browser";
import { makeOrders, SQL } from "./orders";
import { openService, type Service } from "./service";

const orders = makeOrders(400_000);
// Names that an earlier run against the same service has not used.
const run = Date.now().toString(36);
const fileName = `orders-${run}.csv`;
const jobName = `Units by country ${run}`;
const JOB_DEADLINE_MS = 90_000;

let service: Service;
let person: Visit;

const leave: (() => Promise<void>)[] = [];

beforeAll(async () => {
  service = await openService();
  leave.unshift(service.stop);
  person = await visit();
  leave.unshift(person.close);
});

afterAll(async () => {
  for (const close of leave) await close();
});

async function screenshot(name: string): Promise<void> {
  await person.page.screenshot({ path: join(person.folder, `${name}.png`), animations: "disabled" });
}

test("a wrong password is refused in words", async () => {
  const { page } = person;
  await page.goto(service.url);
  await page.getByLabel("Email").fill(service.email);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("1-sign-in");
});

test("the first administrator signs in, and is still signed in after a reload", async () => {
  const { page } = person;
  await page.getByLabel("Password", { exact: true }).fill(service.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Datasets", exact: true }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Datasets", exact: true }).waitFor();
  expect(await axe(page)).toEqual([]);
});

test("a file is uploaded in parts", async () => {
  const { page } = person;
  await page.getByLabel("Files to upload").setInputFiles({ name: fileName, mimeType: "text/csv", buffer: orders.content });
  await page.getByRole("link", { name: "Open dataset" }).first().waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("2-datasets");
  await page.getByRole("link", { name: "Open dataset" }).click();
});

test("the dataset says how it is read, and shows its first rows as they are", async () => {
  const { page } = person;
  const preview = page.getByRole("grid", { name: `First rows of ${fileName}` });
  await preview.waitFor();
  await page.getByRole("combobox", { name: "Type of quantity" }).waitFor();
  expect(await page.getByRole("combobox", { name: "Type of quantity" }).inputValue()).toBe("Int64");
  expect(await page.getByRole("combobox", { name: "Type of zip" }).inputValue()).toBe("Utf8");
  expect(await preview.getByRole("gridcell", { name: "00001", exact: true }).count()).toBe(1);
  await preview.getByRole("gridcell", { name: "Leave at the door,↵ring twice" }).first().click();
  await page.getByText("Leave at the door,\nring twice", { exact: true }).waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("3-dataset");
});

test("a corrected type is seen at once", async () => {
  const { page } = person;
  const type = page.getByRole("combobox", { name: "Type of order_id" });
  await type.fill("Utf8");
  await type.press("Enter");
  const header = page.getByRole("columnheader", { name: "order_id" }).filter({ hasText: "Utf8" });
  await header.waitFor();
});

test("a dry run tells what a query would do, and what is wrong with it", async () => {
  const { page } = person;
  await page.getByRole("main").getByRole("link", { name: "New job" }).click();
  const editor = page.getByRole("textbox", { name: "SQL" });
  await editor.fill("SELECT nothing_like_this FROM input");
  await page.getByText("This would not run").waitFor();
  await editor.fill(SQL);
  await page.getByText("4 columns come out").waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("4-new-job");
});

test("a running job is watched until all of it is done", async () => {
  const { page } = person;
  await page.getByLabel("Name of the job").fill(jobName);
  const fractions = await follow(page, "[data-testid=fraction]");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("heading", { name: "Stages" }).waitFor();
  await page.getByText(/of 1 shard|of \d+ shards/).first().waitFor();
  await page.getByRole("img", { name: /^Throughput over time/ }).waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("5-running");
  await page.getByText("Succeeded", { exact: true }).waitFor({ timeout: JOB_DEADLINE_MS });
  await page.getByText("Closes: every row is accounted for").waitFor();
  await page.getByText(/^100 % of/).waitFor();
  const seen = (await fractions()).map((text) => Number.parseFloat(text));
  expect(seen.filter((percent) => percent > 0 && percent < 100).length).toBeGreaterThan(1);
  expect(seen).toEqual(seen.toSorted((one, other) => one - other));
});

test("the result, the rejected rows and the row balance are right", async () => {
  const { page } = person;
  const result = page.getByRole("grid", { name: "Result" });
  await result.waitFor();
  expect(await result.getByRole("row").count()).toBe(6);
  const balance = page.getByRole("region", { name: "Row balance" });
  for (const count of [orders.rows, orders.rows - orders.rejected, orders.rejected]) {
    await balance.getByText(count.toLocaleString("en"), { exact: false }).first().waitFor();
  }
  expect(await axe(page)).toEqual([]);
  await screenshot("6-finished");
  await page.getByRole("tab", { name: "Rejected rows" }).click();
  const rejects = page.getByRole("grid", { name: "Rejected rows" });
  await rejects.getByRole("gridcell", { name: "quantity", exact: true }).waitFor();
  expect(await rejects.getByRole("row").count()).toBe(1 + orders.rejected);
  expect(await axe(page)).toEqual([]);
  await screenshot("7-rejects");
  await page.getByRole("tab", { name: "Result" }).click();
});

test("the downloaded result holds what was asked for", async () => {
  const { page } = person;
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download/ }).click();
  const download = await downloading;
  expect(await readFile(await download.path(), "utf8")).toBe(orders.result);
});

test("a job run again is paused, resumed, canceled, and goes on from what is done", async () => {
  const { page } = person;
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Run again" }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Resume" }).click({ timeout: JOB_DEADLINE_MS });
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this job?" });
  await dialog.waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("8-cancel");
  await dialog.getByRole("button", { name: "Cancel the job" }).click();
  await page.getByText("The job was canceled", { exact: true }).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Succeeded", { exact: true }).waitFor({ timeout: JOB_DEADLINE_MS });
  await page.getByText("Closes: every row is accounted for").waitFor();
});

test("a job whose rows are not to be rejected fails with the place and the reason", async () => {
  const { page } = person;
  await page.getByRole("link", { name: "Edit and run again" }).click();
  await page.getByText("4 columns come out").waitFor();
  await page.getByRole("combobox", { name: "A row that cannot be read" }).click();
  await page.getByRole("option", { name: "Fail the job" }).click();
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("The job failed").waitFor({ timeout: JOB_DEADLINE_MS });
  expect(await axe(page)).toEqual([]);
  await screenshot("9-failed");
});

test("the history finds both again, by state and by name", async () => {
  const { page } = person;
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  const list = page.getByRole("list", { name: "Jobs" });
  await list.getByRole("listitem").nth(1).waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("10-history");
  await page.getByLabel("Search jobs by name").fill(jobName);
  await page.getByText("2 jobs", { exact: true }).waitFor();
  await list.getByText("Succeeded", { exact: true }).nth(1).waitFor();
  await page.goto(`${service.url}/jobs?state=FAILED`);
  await list.getByText("Failed", { exact: true }).first().waitFor();
  expect(await list.getByText("Succeeded", { exact: true }).count()).toBe(0);
});

test("axe finds nothing in the dark either, and the pages had nothing to complain about", async () => {
  const { page, complaints, folder } = person;
  await page.getByRole("button", { name: "Use dark colors" }).click();
  expect(await axe(page)).toEqual([]);
  await page.getByRole("link", { name: "Datasets", exact: true }).click();
  await page.getByRole("link", { name: fileName, exact: true }).click();
  await page.getByRole("grid").waitFor();
  expect(await axe(page)).toEqual([]);
  await screenshot("11-dark");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await writeFile(join(folder, "complaints.txt"), complaints.join("\n"));
  expect(complaints).toEqual([]);
});
