import { expect, test } from "vitest";
import { matching, score, type Command } from "./commands";

const command = (label: string, group = "Go to", also = ""): Command => ({ id: label, group, label, also, run: () => {} });
const all = [command("Datasets"), command("Jobs"), command("Use dark colors", "Do", "theme night"), command("orders-2024.csv", "Datasets")];

test("everything is offered, in order, before anything is typed", () => {
  expect(matching(all, " ").map(({ label }) => label)).toEqual(["Datasets", "Jobs", "Use dark colors", "orders-2024.csv"]);
});

test("a word is found at the start of a word before it is found within one", () => {
  expect(score("da", "Datasets")).toBeGreaterThan(score("da", "Use dark colors") ?? 0);
  expect(score("2024", "orders-2024.csv")).toBeGreaterThan(score("024", "orders-2024.csv") ?? 0);
  expect(score("zzz", "Datasets")).toBeNull();
});

test("every typed word has to be meant, in any order, and other names of a command count", () => {
  expect(matching(all, "dark use").map(({ label }) => label)).toEqual(["Use dark colors"]);
  expect(matching(all, "night").map(({ label }) => label)).toEqual(["Use dark colors"]);
  expect(matching(all, "dark jobs")).toEqual([]);
});

test("a group is not torn apart by better matches of another", () => {
  const mixed = [command("a one", "A"), command("one", "B"), command("one a", "A")];
  expect(matching(mixed, "one").map(({ group }) => group)).toEqual(["B", "A", "A"]);
});
