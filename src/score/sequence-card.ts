import { featureTable, figures, percent } from './model-card.js';
import type { SequenceMetadata } from './sequence-folder.js';

/** What a person should know before using a sequence model, in Markdown. */
export function sequenceCard(metadata: SequenceMetadata): string {
  const { name, version, threshold, quantile, lookBack, inputs, features, training, metrics } = metadata;
  const { source, command, seed, readings, cars, epochs, dataHash, tfjs } = training;
  return `# ${name}@${version}

An LSTM that predicts the next reading of a car from its last ${lookBack}: of each it is given ${inputs.length} features (${inputs.join(', ')}),
and it predicts ${features.length}. The score is the error of the worst of them, over the error that one in 20,000 normal readings has.
Above ${threshold.toFixed(3)} a reading is anomalous; at most ${percent(1 - quantile)} of the normal readings of cars that were kept from training are.

Made by \`${command}\` (seed ${seed}): ${readings} readings of ${cars} cars (${source}), ${epochs} epochs,
data SHA-256 \`${dataHash}\`, TensorFlow.js ${tfjs}. Nothing but healthy readings was trained on.
${figures(metrics)}
## Features

A signal that is missing leaves its features out of the score; of a car's first readings the network is told that the past is average.

${featureTable(features)}

## Where it does not hold

It knows cars like those it was trained on, and is slower than the autoencoder: TensorFlow evaluates it, the fast evaluator does not.
`;
}
