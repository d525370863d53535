import type { ModelMetadata } from './model-folder.js';

/** What a person should know before using the model, in Markdown. */
export function modelCard(metadata: ModelMetadata): string {
  const { name, version, threshold, quantile, training, features, metrics, calibration } = metadata;
  const { source, command, seed, readings, cars, epochs, dataHash, tfjs } = training;
  return `# ${name}@${version}

An autoencoder that scores one reading of a car at a time: the error of the worst of ${features.length} features, over the error that
one in 20,000 normal readings has. Above ${threshold.toFixed(3)} a reading is anomalous; at most ${percent(1 - quantile)} of the normal readings
of cars that were kept from training are.

Made by \`${command}\` (seed ${seed}): ${readings} readings of ${cars} cars (${source}), ${epochs} epochs,
data SHA-256 \`${dataHash}\`, TensorFlow.js ${tfjs}. Nothing but healthy readings was trained on.
${calibrated(calibration)}${figures(metrics)}
## Features

A signal that is missing leaves its features out of the score.

${featureTable(features)}

## Where it does not hold

It knows cars like those it was trained on. Cars that obey other laws (another make, another unit) score high all the time:
train on their own readings.
`;
}

function calibrated(calibration: ModelMetadata['calibration']): string {
  if (!calibration) return '';
  const { source, readings, cars, dataHash } = calibration;
  return `\nNormal errors and threshold were set anew on ${readings} readings of ${cars} cars (${source}, data SHA-256 \`${dataHash}\`).\n`;
}

export function figures(metrics: ModelMetadata['metrics']): string {
  const entries = Object.entries(metrics);
  if (entries.length === 0) return '';
  return `\n| figure | value |\n|---|---|\n${entries.map(([what, value]) => `| ${what} | ${value} |`).join('\n')}\n`;
}

export function featureTable(features: ModelMetadata['features']): string {
  const head = '| feature | blamed signal | made of | mean | normal error below / above |\n|---|---|---|---|---|';
  return [head, ...features.map(featureRow)].join('\n');
}

function featureRow({ name, signal, derivation, mean, scale, normalError }: ModelMetadata['features'][number]): string {
  const errors = `${short(normalError.below * scale)} / ${short(normalError.above * scale)}`;
  return `| ${name} | ${signal} | ${derivation} | ${short(mean)} | ${errors} |`;
}

export function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

export function percent(part: number): string {
  return `${Number((part * 100).toPrecision(2))} %`;
}
