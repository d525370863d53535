import type { ArrayMetadata } from './array-folder.js';

/** What a person should know before using the model, in Markdown. */
export function arrayCard({
  name,
  version,
  inputs,
  layers,
  score,
  threshold,
  thresholdMade,
  source,
}: ArrayMetadata): string {
  const chain = layers.map(({ units, activation }) => `${units} ${activation}`).join(' → ');
  const says = Object.entries(source.says).map(([what, text]) => `| ${what} | ${text.replaceAll('|', '\\|')} |`);
  return `# ${name}@${version}

An autoencoder for arrays of ${inputs} numbers: ${inputs} → ${chain}. The score is the ${score} reconstruction error
(${score === 'raw' ? "in the square of the values' unit" : 'of the values brought to their normal range'}). Above ${threshold} an array is anomalous: ${thresholdMade}.

Made by \`${source.command}\` from ${source.file}, SHA-256 \`${source.sha256}\`.
${checks(source.expected)}
| the file says | |
|---|---|
${says.join('\n')}

\`weights.bin\` and \`model.json\` are a tfjs LayersModel in single precision; \`weights64.bin\` has the same weights in double
precision. The network takes (value - mean) × factor of metadata.json and gives the same back.
`;
}

function checks(expected: ArrayMetadata['source']['expected']): string {
  return Object.entries(expected)
    .map(
      ([data, { arrays, largestDifference }]) =>
        `\nIts errors on the ${arrays} arrays of ${data} are those that the file expects, within ${largestDifference}.\n`,
    )
    .join('');
}
