import { afterAll } from 'vitest';
import { startStack } from '../stack/stack.js';

/**
 * Each file of tests has a MongoDB of its own, unless one is named: none waits for what the others have left, which
 * change streams and expiry would go through again and again, and one that hangs takes no other file with it.
 */
if (!process.env['MONGODB_URI']) {
  const stack = await startStack({
    parts: ['mongodb'],
    say: () => undefined,
    onDeath: ({ message }) => void process.stderr.write(`${message}\n`),
  });
  process.env['MONGODB_URI'] = stack.urls.mongodbUri;
  // What lies in a server that goes with the file need not be removed, nor saved by an orderly end.
  process.env['MONGODB_GOES'] = 'yes';
  afterAll(async () => {
    delete process.env['MONGODB_URI'];
    delete process.env['MONGODB_GOES'];
    await stack.parts.mongodb?.kill();
    await stack.stop();
  });
}
