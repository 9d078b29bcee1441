/** What the configuration of the registry depends on. */
export interface RegistryConfigOptions {
  /** Port that the registry listens on, on 127.0.0.1 only; clients call it `localhost:PORT`. */
  registryPort: number;
  /** Port of 127.0.0.1 to listen on instead, without TLS: a proxy has the other one. */
  behindProxyAt?: number;
  /** Port of the emulated APIs, which are the registry's token server. */
  emulatorPort: number;
  /** Folder of the registry's data. */
  storage: string;
  /** PEM file of the certificate; TLS, and the root that signs the tokens. */
  certificate: string;
  /** PEM file of its private key. */
  key: string;
  /** Shared by the instances of one registry; any random string, new ones only end uploads under way. */
  httpSecret: string;
}

/** `service` of the registry's tokens; the JWT's audience. */
export function registryService(registryPort: number): string {
  return `localhost:${registryPort}`;
}

/** `iss` of the registry's tokens. */
export const REGISTRY_TOKEN_ISSUER = "hyperion-sandbox";

/** Configuration of CNCF Distribution (2.8 and 3): TLS, token authentication, data in a folder, deletes allowed. */
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
        service: registryService(options.registryPort),
        issuer: REGISTRY_TOKEN_ISSUER,
        rootcertbundle: options.certificate,
      },
    },
  };
}

/** The same as the YAML that `docker-registry serve` reads: JSON is that too, and the emulator need load nothing for it. */
export function registryConfigYaml(options: RegistryConfigOptions): string {
  return JSON.stringify(registryConfig(options), undefined, 2);
}
