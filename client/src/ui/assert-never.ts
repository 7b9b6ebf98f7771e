/** Ends a `switch` over a union, so that the compiler finds the case nobody wrote. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
