// Quiet where a test passes, exact where it fails; names the slow files for whoever has to keep CI short.
export default class FailuresReporter {
  onTestRunEnd(modules, errors) {
    for (const error of errors) process.stdout.write(`ERROR ${error.stack ?? error.message}\n`);
    for (const module of modules) {
      for (const error of module.errors()) process.stdout.write(`FAILED ${module.relativeModuleId}\n${error.stack ?? error.message}\n`);
      for (const test of module.children.allTests('failed')) this.#failed(module, test);
    }
  }

  #failed(module, test) {
    process.stdout.write(`FAILED ${module.relativeModuleId} > ${test.fullName}\n`);
    for (const error of test.result().errors ?? []) process.stdout.write(`${error.stack ?? error.message}\n${error.diff ?? ''}\n`);
  }
}
