// The example builds without a network once it is installed.
process.env.NEXT_TELEMETRY_DISABLED = '1';

/** @type {import('next').NextConfig} */
export default { outputFileTracingRoot: import.meta.dirname };
