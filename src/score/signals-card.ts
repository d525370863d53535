import { figures, percent, short } from './model-card.js';
import type { ModelSignal, SignalsMetadata } from './signals-folder.js';

const MISSING: Readonly<Record<SignalsMetadata['missing'], string>> = {
  'leave-out': 'A signal that is missing is given to the network as its normal mean and left out of the score.',
  'leave-unscored': 'A reading that misses one of the signals is not scored.',
};
const SCORE: Readonly<Record<SignalsMetadata['score'], string>> = {
  'worst-feature': 'the error of the worst signal, over the error that one in 20,000 normal readings has',
  'mean-squared-error': 'the mean of the squared errors of the normalised signals that are there',
};

/** What a person should know before using a model of named signals, in Markdown. */
export function signalsCard(metadata: SignalsMetadata): string {
  const { name, version, threshold, quantile, inputs, score, missing, about } = metadata;
  return `# ${name}@${version}

A network that is given ${inputs.length} signals of a reading and gives them back; nothing is remembered of a car. The score is ${SCORE[score]}.
Above ${short(threshold)} a reading is anomalous; at most ${percent(1 - quantile)} of the normal readings of cars that were kept for it are.
${about === undefined ? '' : `\n${about}\n`}
${origin(metadata)}
${figures(metadata.metrics)}
## Signals

${MISSING[missing]}

| signal | given to the network | normal mean | normal error below / above |
|---|---|---|---|
${inputs.map(row).join('\n')}
`;
}

function origin({ training, imported, calibration }: SignalsMetadata): string {
  const lines: string[] = [];
  if (training) {
    const { command, seed, readings, cars, source, epochs, dataHash, tfjs } = training;
    lines.push(
      `Made by \`${command}\` (seed ${seed}): ${readings} readings of ${cars} cars (${source}), ${epochs} epochs,`,
      `data SHA-256 \`${dataHash}\`, TensorFlow.js ${tfjs}. Readings labelled as failed were left out.`,
    );
  }
  if (imported)
    lines.push(
      `Trained elsewhere (${imported.format}, weights SHA-256 \`${imported.sha256}\`); imported by \`${imported.command}\`.`,
    );
  if (calibration) {
    const { readings, cars, source, dataHash } = calibration;
    lines.push(
      `Normal errors and threshold were set on ${readings} readings of ${cars} cars (${source}, data SHA-256 \`${dataHash}\`).`,
    );
  }
  return lines.join('\n');
}

function row({ name, normaliser, normalMean, normalError }: ModelSignal): string {
  return `| ${name} | ${given(normaliser)} | ${short(normalMean)} | ${short(normalError.below)} / ${short(normalError.above)} |`;
}

function given(normaliser: ModelSignal['normaliser']): string {
  switch (normaliser.kind) {
    case 'standard':
      return `(value - ${short(normaliser.mean)}) / ${short(normaliser.scale)}`;
    case 'range':
      return `${short(normaliser.min)}..${short(normaliser.max)} as -1..1`;
    case 'zero':
      return '0, whatever was sent';
  }
}
