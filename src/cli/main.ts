#!/usr/bin/env node
import 'reflect-metadata';
import { Command } from 'commander';
import { backtestCommand } from './backtest.js';
import { driftCommand } from './drift.js';
import { databaseCommand, eraseCommand, rollupsCommand } from './database.js';
import { demoCommand } from './demo.js';
import { evaluateCommand } from './evaluate.js';
import { keysCommand } from './keys.js';
import { modelsCommand } from './models.js';
import { serveCommand } from './serve.js';
import { settingsCommand } from './settings.js';
import { simulateCommand } from './simulate.js';
import { doctorCommand, stackCommand } from './stack.js';
import { thresholdsCommand } from './thresholds.js';
import { trainCommand } from './train.js';

const program = new Command('fleet-twin')
  .description('Digital twins of connected cars: MQTT, Kafka, TensorFlow, MongoDB, GraphQL')
  .addCommand(serveCommand())
  .addCommand(demoCommand())
  .addCommand(simulateCommand())
  .addCommand(trainCommand())
  .addCommand(evaluateCommand())
  .addCommand(thresholdsCommand())
  .addCommand(modelsCommand())
  .addCommand(backtestCommand())
  .addCommand(driftCommand())
  .addCommand(keysCommand())
  .addCommand(databaseCommand())
  .addCommand(eraseCommand())
  .addCommand(rollupsCommand())
  .addCommand(settingsCommand())
  .addCommand(stackCommand())
  .addCommand(doctorCommand());

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
