/**
 * Which Temporal server to talk to, and how: from flags, else the usual environment (TEMPORAL_ADDRESS,
 * TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…), else a profile of the Temporal CLI's own configuration file, else
 * localhost:7233 and the namespace `default`. The Temporal CLI decides the same way.
 */
import { type ClientConfigTLS, loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';

/** Named as the Temporal CLI's flags. */
export interface ConnectionFlags {
  address?: string;
  namespace?: string;
  apiKey?: string;
  tls?: boolean;
  /** Client certificate and key of mutual TLS. */
  tlsCertPath?: string;
  tlsKeyPath?: string;
  /** Certificate authority that the server's certificate is checked against. */
  tlsCaPath?: string;
  tlsServerName?: string;
  profile?: string;
  configFile?: string;
}

export interface ConnectionSettings {
  /** For a client's `Connection` and a worker's `NativeConnection` alike. */
  connection: NativeConnectionOptions;
  namespace: string;
}

/** @throws Error when a profile or a certificate that is named cannot be read */
export function connectionSettings(flags: ConnectionFlags = {}): ConnectionSettings {
  const { profile, configFile } = flags;
  const found = loadClientConfigProfile({
    ...(profile === undefined ? {} : { profile }),
    ...(configFile === undefined ? {} : { configSource: { path: configFile } }),
  });
  const tls = tlsOf(flags, found.tls);
  const options = toClientOptions({
    ...found,
    ...(flags.address === undefined ? {} : { address: flags.address }),
    ...(flags.apiKey === undefined ? {} : { apiKey: flags.apiKey }),
    ...(tls === undefined ? {} : { tls }),
  });
  return { connection: options.connectionOptions, namespace: flags.namespace ?? found.namespace ?? 'default' };
}

/** TLS flags laid over the profile's settings; any of them switches TLS on, `tls: false` switches it off. */
function tlsOf(flags: ConnectionFlags, profile: ClientConfigTLS | undefined): ClientConfigTLS | undefined {
  if (flags.tls === false) return { disabled: true };
  const own: ClientConfigTLS = {
    ...(flags.tlsCertPath === undefined ? {} : { clientCert: { path: flags.tlsCertPath } }),
    ...(flags.tlsKeyPath === undefined ? {} : { clientKey: { path: flags.tlsKeyPath } }),
    ...(flags.tlsCaPath === undefined ? {} : { serverCACert: { path: flags.tlsCaPath } }),
    ...(flags.tlsServerName === undefined ? {} : { serverName: flags.tlsServerName }),
  };
  if (flags.tls !== true && Object.keys(own).length === 0) return profile;
  return { ...profile, ...own, disabled: false };
}
