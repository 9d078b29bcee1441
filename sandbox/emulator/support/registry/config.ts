export interface RegistryConfigOptions {
  /** Port of 127.0.0.1 that clients use, as `localhost:PORT`. */
  registryPort: number;
  /** Port of 127.0.0.1 to listen on without TLS, behind a proxy on `registryPort`. */
  behindProxyAt?: number;
  /** Port of the emulated APIs, which include the registry's token server. */
  emulatorPort: number;
  /** Folder of the registry's data. */
  storage: string;
  /** PEM file of the certificate, for TLS and for verifying tokens. */
  certificate: string;
  /** PEM file of the private key. */
  key: string;
  /** Any random string. A change aborts uploads in progress. */
  httpSecret: string;
}

/** `iss` of the registry's tokens. */
export const REGISTRY_TOKEN_ISSUER = "hyperion-sandbox";

/** Configuration of CNCF Distribution 2.8 and 3. */
function registryConfig(options: RegistryConfigOptions): object {
  return {
    version: 0.1,
    log: { level: "info", accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: options.storage },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: true, age: "24h", interval: "24h", dryrun: false } },
    },
    http: {
      addr: `127.0.0.1:${options.behindProxyAt ?? options.registryPort}`,
      secret: options.httpSecret,
      ...(options.behindProxyAt === undefined && {
        tls: { certificate: options.certificate, key: options.key },
      }),
    },
    auth: {
      token: {
        realm: `http://127.0.0.1:${options.emulatorPort}/token`,
        // The audience of the tokens.
        service: `localhost:${options.registryPort}`,
        issuer: REGISTRY_TOKEN_ISSUER,
        rootcertbundle: options.certificate,
      },
    },
  };
}

/** The file that `docker-registry serve` reads. JSON is valid YAML, so that no YAML library needs to load. */
export function registryConfigYaml(options: RegistryConfigOptions): string {
  return JSON.stringify(registryConfig(options), undefined, 2);
}
