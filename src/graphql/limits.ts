/** Tokens in one operation. */
export const LONGEST_OPERATION = 5_000;
