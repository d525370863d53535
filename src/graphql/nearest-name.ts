/** Longer text is like no name at all. */
const LONGEST_NAME = 64;

/** Which of the names, of which there has to be one, is spelled most like a text. */
export function nearestName<Name extends string>(text: string, names: readonly Name[]): Name {
  return names.reduce((best, name) => (distance(text, name) < distance(text, best) ? name : best));
}

/** Letters to be changed, put in or taken out (Levenshtein), whatever their case. */
function distance(text: string, name: string): number {
  const [left, right] = [text.slice(0, LONGEST_NAME).toLowerCase(), name.toLowerCase()];
  let row = Array.from({ length: right.length + 1 }, (_, n) => n);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
