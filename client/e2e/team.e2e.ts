/** What people do who share a service: accounts, tokens, administration; at a desk, on a phone, and by keyboard only. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axe, visit, type Visit } from "./browser";
import { openService, type Service } from "./service";

const run = Date.now().toString(36);
const member = { name: `Mira ${run}`, email: `mira-${run}@example.org`, password: `first harbour ${run}` };
const NEXT_PASSWORD = `second harbour ${run}`;
const RESET_PASSWORD = `third harbour ${run}`;

let service: Service;
/** Two browsers, so that nothing is shared between the two people. */
let keeper: Visit;
let mira: Visit;

const leave: (() => Promise<void>)[] = [];

beforeAll(async () => {
  service = await openService();
  leave.unshift(service.stop);
  [keeper, mira] = await Promise.all([visit(), visit()]);
  leave.unshift(keeper.close, mira.close);
});

afterAll(async () => {
  for (const close of leave) await close();
});

/** Keeps a screenshot, after axe found nothing wrong. */
async function look({ page, folder }: Visit, name: string): Promise<void> {
  expect(await axe(page)).toEqual([]);
  await page.screenshot({ path: join(folder, `team-${name}.png`), animations: "disabled" });
}

async function signIn({ page }: Visit, email: string, password: string): Promise<void> {
  await page.goto(service.url);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Datasets", exact: true }).waitFor();
}

test("a second person makes an account, and changes its password", async () => {
  const { page } = mira;
  await page.goto(service.url);
  await page.getByRole("button", { name: "Create one" }).click();
  await page.getByLabel("Name").fill(member.name);
  await page.getByLabel("Email").fill(member.email);
  await page.getByLabel("Password", { exact: true }).fill(member.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("link", { name: member.name }).click();
  const password = page.getByRole("region", { name: "Password" });
  await password.getByLabel("Current password").fill("not this one");
  await password.getByLabel("New password").fill(NEXT_PASSWORD);
  await password.getByRole("button", { name: "Change the password" }).click();
  await password.getByText("The current password is wrong", { exact: false }).waitFor();
  await password.getByLabel("Current password").fill(member.password);
  await password.getByRole("button", { name: "Change the password" }).click();
  await password.getByText("The password is changed", { exact: false }).waitFor();
  expect(await page.getByRole("link", { name: "Administration" }).count()).toBe(0);
  await look(mira, "account");
});

test("a token is shown once, works, and opens nothing when it is revoked", async () => {
  const { page } = mira;
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("nightly import");
  expect(await dialog.getByLabel(/^Administration/).count()).toBe(0);
  await dialog.getByRole("checkbox", { name: /^Jobs/ }).uncheck();
  await look(mira, "new-token");
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const secret = await dialog.getByRole("region", { name: "Token", exact: true }).innerText();
  await look(mira, "token");
  const ask = async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret.trim()}`, "content-type": "application/json" },
      body: JSON.stringify({ query: "{ me { email } }" }),
    });
    return response.text();
  };
  expect(await ask()).toContain(member.email);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("button", { name: "Revoke nightly import" }).click();
  await page.getByRole("button", { name: "Revoke the token" }).click();
  await page.getByText("No tokens yet").waitFor();
  expect(await page.content()).not.toContain(secret.trim());
  expect(await ask()).toContain("UNAUTHENTICATED");
});

test("an administrator sets limits, sees nodes and the audit log, and helps who forgot the password", async () => {
  const { page } = keeper;
  await signIn(keeper, service.email, service.password);
  await page.getByRole("link", { name: "Administration" }).click();
  await page.getByRole("button", { name: `Edit ${member.name}` }).click();
  const dialog = page.getByRole("dialog", { name: member.email });
  await dialog.getByLabel("In all").waitFor();
  await dialog.getByLabel("Storage, in GB").fill("1.5");
  await dialog.getByLabel("Jobs at once").fill("3");
  await look(keeper, "user");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: member.email }).getByText("1.5 GB").waitFor();
  await look(keeper, "users");
  await page.getByRole("button", { name: `Edit ${member.name}` }).click();
  await dialog.getByRole("button", { name: "Make a reset code" }).click();
  const code = await dialog.getByRole("region", { name: "Reset code" }).innerText();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Cluster" }).click();
  await page.getByRole("table", { name: "Nodes" }).getByText("Up").first().waitFor();
  await look(keeper, "nodes");
  await page.getByRole("tab", { name: "Audit log" }).click();
  await page.getByLabel("Action").fill("changePassword");
  const log = page.getByRole("list", { name: "Audit log" });
  await page.getByRole("combobox", { name: "Outcome" }).click();
  await page.getByRole("option", { name: "BAD_USER_INPUT" }).click();
  // The whole log may still stand there while the filtered one is on its way.
  await expect
    .poll(async () => {
      const entries = await log.getByRole("listitem").allInnerTexts();
      return entries.length > 0 && entries.every((entry) => entry.includes("changePassword") && entry.includes("BAD_USER_INPUT"));
    }, { timeout: 20_000 })
    .toBe(true);
  const entry = log.getByRole("listitem").filter({ hasText: member.email });
  await entry.getByText("BAD_USER_INPUT").click();
  await entry.getByText("Address", { exact: true }).waitFor();
  await look(keeper, "audit");

  const own = mira.page;
  await own.getByRole("button", { name: "Sign out" }).click();
  await own.getByRole("button", { name: "Use a reset code" }).click();
  await own.getByLabel("Reset code").fill(code);
  await own.getByLabel("New password").fill(RESET_PASSWORD);
  await look(mira, "reset");
  await own.getByRole("button", { name: "Set the password" }).click();
  await own.getByText("The password is set").waitFor();
  await signIn(mira, member.email, RESET_PASSWORD);
});

test("the pages had nothing to complain about", () => {
  expect([...keeper.complaints, ...mira.complaints]).toEqual([]);
});
