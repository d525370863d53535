/** Every version that set-up fetches or builds, in one place. */

export const KAFKA_VERSION = '4.1.0';
export const KAFKA_SCALA_VERSION = '2.13';
export const KAFKA_LOGGING_VERSION = '2.24.3';
export const MAVEN_DEPENDENCY_PLUGIN_VERSION = '3.8.1';
/** Kafka 4 brokers do not start on less. */
export const JAVA_MINIMUM = 17;

export const SECANTUS_PY_VERSION = '0.7.0b3';
export const SECANTUS_RS_VERSION = '0.5.3-beta.196';

/** The smallest wheel that holds libtensorflow_cc, libtensorflow_framework and the C headers. */
export const TENSORFLOW_WHEEL = {
  requirement: 'tensorflow-cpu==2.13.1',
  version: '2.13.1',
  sha256: '87be6e61314b2c0fa062f71e26e41d6a17e162ffe4da72c820fe8f1fc94d97fe',
  python: '3.11',
  abi: 'cp311',
  platforms: ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'],
  megabytes: 187,
} as const;
/** The file name that tfjs-node 4.22 looks for to decide that its library is there. */
export const TFJS_LIBRARY_FILE = 'libtensorflow.so.2.9.1';
