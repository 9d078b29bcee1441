import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { beforeEach, describe, expect, it, test } from "vitest";
import images from "../images.json" with { type: "json" };
import { root, useShell } from "../test/support/shell.ts";
import { listen } from "../test/support/listen.ts";

const script = "scripts/check-compose.sh";

/**
 * A fake Docker. CONTAINERS, VOLUMES and IMAGES name what it has, DATA the content of a file in a volume; the other variables
 * describe the machine.
 */
const docker = `
case "$1 $2" in
  "--version ") echo "$CLI" ;;
  "version --format") echo "$ENGINE" ;;
  "info --format") echo "$INFO" ;;
  "compose config") [ -z "$REFUSED" ] || { echo "$REFUSED" >&2; exit 1; } ;;
  "compose version") [ -n "$COMPOSE" ] && echo "$COMPOSE" ;;
  "compose --project-name") read -r text; for name in $TAGGED; do [[ "$text" != *"/$name:"* ]] || exit 0; done; echo "$REFUSAL" >&2; exit 1 ;;
  "ps --filter") for name in $CONTAINERS; do [[ ! $name =~ \${3#name=} ]] || echo "$name dev-squad"; done ;;
  "ps --quiet") case "$4" in *"service=mongodb" | *"project="*) echo "$RUNNING" ;; esac ;;
  "ps --all") echo "$STOPPED" ;;
  "inspect --format") echo "$RAN" ;;
  "exec --env") [ "$HYPERION_LOGIN" = "$LOGIN" ] ;;
  "volume ls") printf '%s\\n' $VOLUMES ;;
  "volume inspect") [ "$3" != --format ] && case " $VOLUMES " in *" $3 "*) ;; *) exit 1 ;; esac ;;
  "image inspect") for last; do :; done; case " $IMAGES " in *" $last "*) ;; *) exit 1 ;; esac ;;
  "run --rm") for image in $IMAGES; do case " $* " in *" $image "*) printf "read\\n$DATA"; exit ;; esac; done; exit 125 ;;
esac`;

const ALL = images.map(({ name }) => name).join(" ");
const MODEL = "ghcr.io/huggingface/text-embeddings-inference:cpu-latest";
const shell = useShell();

beforeEach(() => {
  shell.fake("docker", docker);
  for (const tool of ["stat", "df", "id"]) shell.pass(tool);
  for (const file of ["docker-compose.yml", "docker-compose.dev.yml"])
    shell.write(file, readFileSync(path.join(root, file), "utf8"));
  Object.assign(shell.environment, {
    CLI: "Docker version 28.2.2, build e6534b4",
    ENGINE: "28.2.2|amd64|Engine,containerd,runc,",
    INFO: "/var/lib/docker|8000000000|[name=seccomp,profile=builtin]",
    COMPOSE: "2.40.3",
    CONTAINERS: "",
    VOLUMES: "",
    IMAGES: MODEL,
  });
  cpu("flags\t\t: fpu sse4_2 avx avx2");
});

const check = (...options: string[]) => shell.run(script, [...options, shell.folder]);

/** Sets the content of /proc/cpuinfo. */
function cpu(text: string): void {
  shell.fake("cat", `[ "$*" != /proc/cpuinfo ] || { echo "${text}"; exit; }; exec /bin/cat "$@"`);
}

/** Runs the script, and expects each of these problems with its fix. */
function expectFound(...problems: [what: string, fix: string][]): void {
  const { status, stdout } = check();
  for (const [what, fix] of problems) {
    expect(stdout).toContain(what);
    expect(stdout.slice(stdout.indexOf(what))).toContain(`    fix: `);
    expect(stdout).toContain(fix);
  }
  expect(status).toBe(1);
}

const CLEAN = { status: 0, stdout: "Nothing found: docker compose up --detach --wait\n", stderr: "" };

it.each(["# nothing\n", readFileSync(path.join(root, ".env.example"), "utf8")])(
  "finds nothing on a machine that never had Hyperion, and says how to start it (%#)",
  (env) => {
    shell.write(".env", env);
    expect(check()).toEqual(CLEAN);
  },
);

it("accepts every default and suggestion of .env.example", () => {
  const example = readFileSync(path.join(root, ".env.example"), "utf8");
  const defaults = [...example.matchAll(/^#([A-Z_]+=.+)$/gm)].map(([, line]) => line);
  shell.write("code/main.go", "package main\n");
  const allowed = ["HYPERION_PLATFORM=linux/arm64", "HYPERION_CODE=./code", "CODE_INDEX_FOLDERS=/code"];
  shell.write(".env", [...defaults, ...allowed, "COMPOSE_PROFILES=x", ""].join("\r\n"));
  expect(check()).toEqual(CLEAN);
});

/** A line of .env, its problem and the fix. */
const WRONG = [
  ["MONGODB_URI=mongodb://mongodb:27017", "MONGODB_URI has no login", "sed -i.old '/^MONGODB_URI=/d' .env"],
  [
    "MONGODB_URI='mongodb://admin:admin123@mongodb:27017/?authSource=admin'",
    "logs in as admin, but the database's user is hyperion",
    "sed -i.old '/^MONGODB_URI=/d' .env",
  ],
  [
    "MONGODB_URI=mongodb+srv://dana:secret@cluster.example.net/?w=majority",
    "names cluster.example.net",
    "echo HYPERION_MONGODB=elsewhere >> .env",
  ],
  ["QDRANT_URL=https://q.example.com:6333", "names q.example.com", "echo HYPERION_QDRANT=elsewhere >> .env"],
  [
    "HYPERION_QDRANT=elsewhere",
    "QDRANT_URL names no other server",
    "sed -i.old 's|^HYPERION_QDRANT=.*|HYPERION_QDRANT=local|' .env",
  ],
  ["QDRANT_URL=http://qdrant:6333/", "ends in a slash", "QDRANT_URL=http://qdrant:6333|"],
  ["HYPERION_MONGODB=remote", "local (in a container here), or elsewhere", "'/^HYPERION_MONGODB=/d' .env"],
  ["WEB_PORT=7777", "its new name is HYPERION_UI_PORT", "sed -i.old 's/^WEB_PORT=/HYPERION_UI_PORT=/' .env"],
  ["MONGO_ROOT_PASSWORD=x", "its new name is MONGODB_PASSWORD", "s/^MONGO_ROOT_PASSWORD=/MONGODB_PASSWORD=/"],
  ["MONGODB_PORT=27017", "have no port on this machine", "sed -i.old '/^MONGODB_PORT=/d' .env"],
  ["EMBEDDING=openai", "needs OPENAI_API_KEY", "EMBEDDING=local"],
  ["EMBEDDING=voyage", "local or openai", "'/^EMBEDDING=/d' .env"],
  [
    'HYPERION_REGISTRY="https://us-central1-docker.pkg.dev/p/r/"',
    "a scheme or a slash at its end",
    "HYPERION_REGISTRY=us-central1-docker.pkg.dev/p/r",
  ],
  ["HYPERION_TAG=@sha256:00ff", "use a lock file to pin them", "docker compose config --lock-image-digests"],
  ["HYPERION_TAG=1.4.2 beta", "a tag of letters", "'/^HYPERION_TAG=/d' .env"],
  ["HYPERION_UI_PROT=8080", "did you mean HYPERION_UI_PORT?", "s/^HYPERION_UI_PROT=/HYPERION_UI_PORT=/"],
  ["SOMETHING_OF_ANOTHER=1", "is not read by any compose file", "'/^SOMETHING_OF_ANOTHER=/d' .env"],
  ["HYPERION_UI_PORT=abc", "a port from 1 to 65535", "'/^HYPERION_UI_PORT=/d' .env"],
  ["HYPERION_MCP_PORT=70000", "a port from 1 to 65535", "'/^HYPERION_MCP_PORT=/d' .env"],
  ["HYPERION_BRIDGE_PORT=7778", "is the port of another service here", "HYPERION_BRIDGE_PORT=17778|"],
  ["HYPERION_BIND=localhost", "an IP address", "'/^HYPERION_BIND=/d' .env"],
  ["HYPERION_RESTART=sometimes", "on-failure or no", "'/^HYPERION_RESTART=/d' .env"],
  ["QDRANT_MEMORY=2", "a size such as", "'/^QDRANT_MEMORY=/d' .env"],
  ["HYPERION_NO_NEW_PRIVILEGES=off", "true or false", "'/^HYPERION_NO_NEW_PRIVILEGES=/d' .env"],
  ["HYPERION_PLATFORM=arm64", "linux/arm64", "'/^HYPERION_PLATFORM=/d' .env"],
  ["LOG_LEVEL=verbose", "debug, info, warn or error", "'/^LOG_LEVEL=/d' .env"],
  ["MONGODB_PASSWORD=p@ss/w0rd", "MONGODB_PASSWORD cannot work", "'/^MONGODB_PASSWORD=/d' .env"],
  ["MONGODB_USERNAME=o'brien", "letters, digits", "'/^MONGODB_USERNAME=/d' .env"],
  ["MONGODB_DATABASE=a/b", "letters, digits", "'/^MONGODB_DATABASE=/d' .env"],
  [
    "MONGODB_URI=mongodb://hyperion:p@ss/w0rd@mongodb:27017/?authSource=admin",
    "are written %25 %40",
    "'/^MONGODB_URI=/d' .env",
  ],
  ["QDRANT_URL=qdrant:6333", "http://HOST:PORT", "'/^QDRANT_URL=/d' .env"],
  ["TEI_URL=http://u:p@tei.example.com", "without a login", "'/^TEI_URL=/d' .env"],
  ["OPENAI_API_KEY=sk a", "one word", "'/^OPENAI_API_KEY=/d' .env"],
  ["EMBEDDING_MODEL=nomic embed", "OWNER/NAME", "'/^EMBEDDING_MODEL=/d' .env"],
  ["QDRANT_IMAGE=https://hub.docker.com/qdrant", "without a scheme", "'/^QDRANT_IMAGE=/d' .env"],
  ["HYPERION_CODE=/misspelt", "is not a folder of this machine", "'/^HYPERION_CODE=/d' .env"],
  ["HYPERION_SOURCE=/misspelt", "is not a folder of this machine", "'/^HYPERION_SOURCE=/d' .env"],
  ["CODE_INDEX_FOLDERS=/code/src", "HYPERION_CODE is not set", "echo HYPERION_CODE="],
  ["CODE_INDEX_FOLDERS=/home/dana/src", "folders in the container", "'/^CODE_INDEX_FOLDERS=/d' .env"],
  ["HYPERION_REGISTRY=a b/c", "names of lowercase letters", "'/^HYPERION_REGISTRY=/d' .env"],
  ["HYPERION_REGISTRY=host:port/a", "names of lowercase letters", "'/^HYPERION_REGISTRY=/d' .env"],
  ["HYPERION_REGISTRY=eu.example.com/Team", "names of lowercase letters", "'/^HYPERION_REGISTRY=/d' .env"],
  [`HYPERION_TAG=${"a".repeat(129)}`, "a tag of letters", "'/^HYPERION_TAG=/d' .env"],
  ["MONGODB_IMAGE=Mongo:7.0", "the name of an image", "'/^MONGODB_IMAGE=/d' .env"],
  ["EMBEDDING_IMAGE=a/b-:1", "the name of an image", "'/^EMBEDDING_IMAGE=/d' .env"],
  ["HYPERION_BIND=[::1]", "an IP address of this machine", "'/^HYPERION_BIND=/d' .env"],
  ["HYPERION_BIND=192.0.2.1", "an IP address of this machine", "'/^HYPERION_BIND=/d' .env"],
  ["HYPERION_PLATFORM=linux/s390x", "linux/arm64", "'/^HYPERION_PLATFORM=/d' .env"],
  ["MONGODB_MEMORY=4m", "a size such as", "'/^MONGODB_MEMORY=/d' .env"],
  ["MONGODB_URI=mongodb://hyperion:100%@mongodb", "are written %25", "'/^MONGODB_URI=/d' .env"],
  ["MONGODB_URI=mongodb://hyperion:x@mongodb", "another password", "'/^MONGODB_URI=/d' .env"],
  ["MONGODB_URI=mongodb://localhost:27017", "is the container itself", "host.docker.internal"],
  ["TEI_URL=http://127.0.0.1:8080", "is the container itself", "host.docker.internal"],
  ["QDRANT_API_KEY=a$/$b", "contains $b, which is not set", "QDRANT_API_KEY in single quotes"],
  ["COMPOSE_PROFILES=*", "also starts the templates", "'/^COMPOSE_PROFILES=/d' .env"],
  ["PORT=8080", "PORT in .env is not read by any compose file\n", "'/^PORT=/d' .env"],
  ["HYPERION-TAG=1.4.2", "did you mean HYPERION_TAG?", "s/^HYPERION-TAG=/HYPERION_TAG=/"],
  ["HYPERION_TAG 1.4.2", "of .env sets nothing", "write it as NAME=VALUE"],
] as const;

/** Values that Compose and the services accept. */
const RIGHT = [
  `HYPERION_REGISTRY=localhost:5000
HYPERION_TAG=v1.4.2
HYPERION_MEMORY=2GiB
MONGODB_MEMORY=1.5 g
HYPERION_PIDS=0
HYPERION_NO_NEW_PRIVILEGES=False
NO_PROXY=a.example.com, .example.org
HYPERION_BIND=127.0.0.2
HYPERION_QDRANT=elsewhere
QDRANT_URL=http://[fd00::1]:6333
QDRANT_API_KEY='a$b'
HYPERION_MONGODB=elsewhere
MONGODB_URI=mongodb://a:p%40ss@one.example.com,two.example.com/?replicaSet=r
MY_PORT=8080
HYPERION_UI_PORT=\${MY_PORT}
HYPERION_MCP_PORT=\${ANOTHER:-8081}
COMPOSE_FILE=docker-compose.yml:more.yml
MORE_OF_IT=1`,
  `MONGODB_PASSWORD=first
MONGODB_URI=mongodb://hyperion:first@mongodb:27017/?authSource=admin
QDRANT_API_KEY="a\\$b"
OPENAI_API_KEY=a$$b
HYPERION_UI_PORT=abc
HYPERION_UI_PORT=8080
HYPERION_TAG=2025-01-10`,
];
it.each(RIGHT)("accepts what Compose accepts (%#)", (env) => {
  shell.environment["TAGGED"] = ALL;
  shell.write("more.yml", "services:\n  x:\n    image: ${MORE_OF_IT:-y}\n");
  shell.write(".env", `${env}\n`);
  expect(check()).toEqual(CLEAN);
});

it.each([
  "export HYPERION_UI_PORT=abc",
  "  HYPERION_UI_PORT = 'abc'",
  "HYPERION_UI_PORT: abc # a comment",
  "\uFEFFHYPERION_UI_PORT=abc",
  'HYPERION_UI_PORT="abc" \r',
  'HYPERION_UI_PORT="8080\n8081"',
])("reads %j as Compose does, and its fix removes it", (line) => {
  shell.write(".env", `#HYPERION_UI_PORT=7777\n${line}\nLOG_LEVEL=warn\n`);
  const fix = /fix: (.*HYPERION_UI_PORT.*)/.exec(check().stdout)?.[1] ?? "";
  expect(fix).toContain("sed -i.old");
  shell.bash(fix);
  expect(shell.read(".env")).toMatch(/^#HYPERION_UI_PORT=7777\n(8081"\n)?LOG_LEVEL=warn\n$/);
});

it("adds a line with a fix, also to an .env that does not end with a line break", () => {
  shell.write(".env", "QDRANT_URL=http://q.example.com");
  shell.bash(/fix: (.*)/.exec(check().stdout)?.[1] ?? "");
  expect(shell.read(".env")).toBe("QDRANT_URL=http://q.example.com\nHYPERION_QDRANT=elsewhere\n");
});

it("names the folder in which the fixes are to be run, unless it is the current one", () => {
  shell.write("other/docker-compose.yml", shell.read("docker-compose.yml"));
  shell.write("other/.env", "HYPERION_UI_PORT=abc\n");
  const { stdout } = shell.run(script, [`${shell.folder}/other`]);
  expect(stdout.split("\n")[0]).toBe(`In ${shell.folder}/other:`);
  shell.write(".env", "HYPERION_UI_PORT=abc\n");
  expect(check().stdout).not.toContain("In ");
});

it.skipIf(process.getuid?.() === 0)("reports that it may not read .env", () => {
  shell.write(".env", "HYPERION_UI_PORT=8080\n", 0o000);
  expectFound(["you have no permission to read .env", "sudo chown"]);
});

describe("of what Compose refuses", () => {
  it("prints the message, without a text that can be a password", () => {
    shell.environment["REFUSED"] = 'failed to read .env: line 1: unterminated quoted value "sec';
    shell.write(".env", 'MONGODB_PASSWORD="sec\n');
    expectFound(["line 1: unterminated quoted value\n", "docker compose config --quiet"]);
    expect(check().stdout).not.toContain('"sec');
  });

  it("names a wrong value of a service once", () => {
    shell.environment["REFUSED"] = 'cannot extend service "mongodb": service "remote" not found';
    expectFound(["Compose refuses", "docker compose config --quiet"]);
    shell.write(".env", "HYPERION_MONGODB=remote\n");
    expect(check().stdout).not.toContain("Compose refuses");
  });
});

/** Names of the same subject: their lines are tested in turn. */
const SAME: Record<string, string> = {
  HYPERION_QDRANT: "QDRANT_URL",
  CODE_INDEX_FOLDERS: "HYPERION_CODE",
  OPENAI_API_KEY: "EMBEDDING",
  HYPERION_BRIDGE_PORT: "HYPERION_MCP_PORT",
  "HYPERION_TAG 1.4.2": "HYPERION_TAG",
};
const nameOf = ([line]: (typeof WRONG)[number]) => {
  const name = line.replace(/=.*/, "");
  return SAME[name] ?? name;
};
const turns = WRONG.map(
  (row, index) => WRONG.slice(0, index).filter((one) => nameOf(one) === nameOf(row)).length,
);

it.each([...new Set(turns)])("reports all problems in .env at once, with their fixes (%i)", (turn) => {
  const rows = WRONG.filter((_, index) => turns[index] === turn);
  const env = rows.map(([line]) => `${line}\n`).join("");
  shell.write(".env", env);
  const { status, stdout } = check();
  for (const [line, what, fix] of rows) {
    expect(stdout, line).toContain(what);
    expect(stdout, line).toContain(fix);
  }
  expect([status, shell.read(".env")]).toEqual([1, env]);
});

it("finds volumes, containers, an override and clients of an earlier compose file, all at once", () => {
  shell.environment["CONTAINERS"] = "hyperion-http-bridge";
  shell.environment["VOLUMES"] = "dev-squad_mongodb_data dev-squad_qdrant_data unrelated";
  shell.write(
    "docker-compose.override.yml",
    'services:\n  hyperion-ui:\n    ports:\n      - "9173:80"  # host\n',
  );
  const client = { command: "docker", args: ["exec", "-i", "hyperion-http-bridge", "/app/hyper-mcp"] };
  shell.write(".claude.json", JSON.stringify({ mcpServers: { hyperion: client } }, null, 2));
  const { status, stdout } = check();
  expect(status).toBe(1);
  for (const fix of [
    "docker compose --project-name dev-squad down",
    "scripts/copy-compose-volumes.sh dev-squad",
    "mv docker-compose.override.yml docker-compose.override.yml.old",
    '"url": "http://localhost:7778/mcp"',
  ])
    expect(stdout).toContain(fix);
  expect(stdout).not.toContain("unrelated");
});

it("copies earlier volumes to those of the project that .env names", () => {
  shell.environment["VOLUMES"] = "dev-squad_qdrant_data";
  shell.write(".env", "COMPOSE_PROJECT_NAME=mine\n");
  const command = "COMPOSE_PROJECT_NAME=mine scripts/copy-compose-volumes.sh dev-squad";
  expectFound(["but mine_qdrant-data does not", command]);
});

describe("of this shell's variables", () => {
  it("finds a misspelt name, and ignores names of other programs", () => {
    Object.assign(shell.environment, {
      HYPERION_TGA: "1.4.2",
      QDRANT_PATH: "/x",
      HYPERION_SANDBOX_DIR: "/y",
    });
    expectFound(["did you mean HYPERION_TAG?", "unset HYPERION_TGA"]);
    expect(check().stdout).not.toMatch(/QDRANT_PATH|SANDBOX/);
  });

  it("accepts a name that the user's compose file reads, and its ports on loopback", () => {
    const ports = '    ports:\n      - "127.0.0.1:9173:80"\n';
    shell.write("docker-compose.override.yml", `services:\n  x:\n    image: \${MY_IMAGE:-y}\n${ports}`);
    shell.write(".env", "MY_IMAGE=z\n");
    expect(check()).toEqual(CLEAN);
  });
});

it("shows no password", () => {
  shell.write(
    ".env",
    "MONGODB_PASSWORD=p@ss/w0rd\nQDRANT_API_KEY=ke y\nMONGODB_URI=mongodb://a:p@ss@mongodb\nQDRANT_URL=http://a:p@ss@q\n",
  );
  expect(check().stdout).not.toMatch(/p@ss|ke y/);
});

describe("of the ports", () => {
  it("finds one that something else listens on", async () => {
    const server = createServer();
    const port = String(await listen(server));
    shell.write(".env", `HYPERION_UI_PORT=${port}\n`);
    // The kernel accepts the connection while this process waits for the script.
    expectFound([`port ${port} (HYPERION_UI_PORT) is in use`, "s|^HYPERION_UI_PORT=.*|HYPERION_UI_PORT="]);
    shell.environment["RUNNING"] = "b19c";
    expect(check()).toEqual(CLEAN);
    server.close();
  });
});

describe("of the folder of code", () => {
  beforeEach(() => {
    shell.write("code/main.go", "package main\n");
    shell.write(".env", "HYPERION_CODE=./code\n");
  });

  it.each([
    ["$HOME/code", "${HOME}/code"],
    ["~/code", "'./code' # mine"],
  ])("accepts %s and %s", (code, source) => {
    shell.write(".env", `HYPERION_CODE=${code}\nHYPERION_SOURCE=${source}\n`);
    expect(check()).toEqual(CLEAN);
  });

  it("finds a file in its place", () => {
    shell.write(".env", "HYPERION_CODE=code/main.go\n");
    expectFound(["code/main.go is not a folder of this machine", "'/^HYPERION_CODE=/d' .env"]);
  });

  it("finds one that is empty", () => {
    shell.write(".env", "HYPERION_CODE=./bin/none\n");
    shell.bash("mkdir -p bin/none");
    expectFound(["is empty, or you have no permission to read it", "'/^HYPERION_CODE=/d' .env"]);
  });

  it("finds one that is not readable for user 1000", () => {
    shell.bash("chmod 700 code");
    expectFound(["is not readable for user 1000", `chmod -R o+rX '${shell.folder}/./code'`]);
  });

  it("finds a folder to index that is not in it", () => {
    shell.write(".env", "HYPERION_CODE=./code\nCODE_INDEX_FOLDERS=/code,/code/lib\n");
    expectFound(["CODE_INDEX_FOLDERS names /code/lib", "'/^CODE_INDEX_FOLDERS=/d' .env"]);
  });

  it("finds one without an SELinux label for containers", () => {
    shell.environment["INFO"] = "/var/lib/docker|8000000000|[name=seccomp,profile=builtin name=selinux]";
    shell.fake("stat", "echo unconfined_u:object_r:user_home_t:s0");
    expectFound(["user_home_t", "sudo chcon -R -t container_file_t"]);
    shell.fake("stat", "echo unconfined_u:object_r:container_file_t:s0");
    expect(check()).toEqual(CLEAN);
  });

  it("finds one that Docker from snap does not see", () => {
    shell.environment["INFO"] = "/var/snap/docker/common/var-lib-docker|8000000000|[name=apparmor]";
    shell.write(".env", "HYPERION_CODE=./code\nHYPERION_NO_NEW_PRIVILEGES=false\n");
    expectFound(["is hidden from Docker from snap", "mv "]);
  });
});

describe("of the machine", () => {
  const SNAP = "/var/snap/docker/common/var-lib-docker|8000000000|[name=apparmor]";
  const DOCKER_PAGE = "docs.docker.com/engine/install";
  const COMPOSE_PAGE = "docs.docker.com/compose/install";

  it("finds everything about a machine at once", () => {
    Object.assign(shell.environment, {
      ENGINE: "19.3.15|arm64|Engine,",
      INFO: SNAP.replace("8000000000", "2000000000"),
      COMPOSE: "2.23.3",
    });
    expectFound(
      ["refuses no-new-privileges", "echo HYPERION_NO_NEW_PRIVILEGES=false >> .env"],
      ["is for amd64", "cpu-arm64-latest >> .env"],
      ["Docker 19.3.15 is older than 20.10", DOCKER_PAGE],
      ["2.23.3 is older than 2.24", COMPOSE_PAGE],
      ["2000 MB of memory", "HYPERION_EMBEDDING=elsewhere"],
    );
  });

  test.each([
    ["another processor", { ENGINE: "28.2.2|riscv64|Engine," }, "amd64 and arm64", "HYPERION_PLATFORM="],
    ["no Compose", { COMPOSE: "" }, "there is no docker compose", COMPOSE_PAGE],
    ["Podman as docker", { CLI: "podman version 5.4.0" }, "is Podman", DOCKER_PAGE],
    ["Podman's engine", { ENGINE: "5.4.0|amd64|Podman Engine,Conmon," }, "is Podman", DOCKER_PAGE],
  ])("finds %s", (_, facts, what, fix) => {
    Object.assign(shell.environment, facts);
    expectFound([what, fix]);
  });

  it("finds docker-compose 1, and accepts a later docker-compose", () => {
    shell.environment["COMPOSE"] = "";
    shell.fake("docker-compose", "echo 1.29.2");
    expectFound(["docker-compose 1.29.2 is older than 2.24", "docs.docker.com/compose/install"]);
    shell.fake("docker-compose", "echo 5.0.1");
    const { status, stdout } = check();
    expect([status, stdout]).toEqual([0, expect.stringContaining("use docker-compose")]);
  });

  it("finds a full disk, while the images are not here yet", () => {
    shell.fake("df", 'printf "Filesystem\\nfs 100 90 4000000 90%% /\\n"');
    expect(check()).toEqual(CLEAN);
    shell.environment["IMAGES"] = "";
    expectFound(["less than 5 GB left", "docker image prune --all"]);
  });

  it.each([
    ["amd64", "flags\t\t: fpu sse4_2", "flags\t\t: fpu avx"],
    ["arm64", "Features\t: fp asimd crc32", "Features\t: fp asimd asimddp"],
  ])("finds a processor on which MongoDB does not run (%s)", (arch, old, later) => {
    shell.environment["ENGINE"] = `28.2.2|${arch}|Engine,`;
    if (arch === "arm64")
      shell.write(".env", "EMBEDDING_IMAGE=ghcr.io/x/text-embeddings-inference:cpu-arm64-latest\n");
    cpu(old);
    expectFound(["MongoDB 5 and later end with 132", "HYPERION_MONGODB=elsewhere"]);
    shell.environment["MONGODB_IMAGE"] = "mongo:4.4";
    expect(check()).toEqual(CLEAN);
    delete shell.environment["MONGODB_IMAGE"];
    cpu(later);
    expect(check()).toEqual(CLEAN);
  });

  it("finds hosts that Docker's proxy excludes", () => {
    shell.write(".docker/config.json", '{\n "proxies": { "default": { "noProxy": "*.corp,10.0.0.0/8" } }\n}');
    expectFound(["excludes *.corp,10.0.0.0/8", "echo 'NO_PROXY=*.corp,10.0.0.0/8' >> .env"]);
  });

  it("writes only the settings that the machine needs, with --write", () => {
    Object.assign(shell.environment, { ENGINE: "28.2.2|arm64|Engine,", INFO: SNAP });
    cpu("Features\t: asimddp");
    shell.write(".docker/config.json", '{"proxies":{"default":{"noProxy":"*.corp"}}}');
    shell.write(".env", "HYPERION_NO_NEW_PRIVILEGES=true\nHYPERION_UI_PORT=7000");
    expect(check("--write")).toEqual(CLEAN);
    expect(shell.read(".env").split("\n").sort()).toEqual([
      "",
      `EMBEDDING_IMAGE=${MODEL.replace("cpu", "cpu-arm64")}`,
      "HYPERION_NO_NEW_PRIVILEGES=false",
      "HYPERION_UI_PORT=7000",
      "NO_PROXY=*.corp",
    ]);
    expect(check()).toEqual(CLEAN);
    shell.write(".env", "export HYPERION_NO_NEW_PRIVILEGES=1\n");
    check("--write");
    expect(shell.read(".env")).toMatch(/^HYPERION_NO_NEW_PRIVILEGES=false\n/);
  });
});

describe("of the data", () => {
  const LOGIN = "mongodb://hyperion:hyperion-inside-compose@127.0.0.1:27017/?authSource=admin";
  const mongod = (version: string) =>
    `\\020\\000buildInfo\\000\\002version\\000\\007\\000\\000\\000${version}\\000`;

  beforeEach(() => {
    Object.assign(shell.environment, {
      IMAGES: `${MODEL} qdrant/qdrant:v1.18.3 mongo:7.0`,
      VOLUMES: "hyperion_qdrant-data hyperion_mongodb-data",
      STOPPED: "c0ffee",
      RUNNING: "c0ffee",
      RAN: "qdrant/qdrant:v1.18.0",
      LOGIN,
      DATA: data("7.0.14"),
    });
  });

  /** What the container prints that reads the volumes. */
  const data = (mongodb: string, format = "0.4.2"): string =>
    `format 0.4.2\\nformat ${format}\\n${mongod(mongodb)}`;

  test.each<[string, NodeJS.ProcessEnv, [what: string, fix: string][]]>([
    [
      "an old version of both",
      { RAN: "qdrant/qdrant:v1.15.1", DATA: data("5.0.31") },
      [
        ["skips a minor version", "qdrant/qdrant:v1.16.3 docker compose up"],
        ["opened by MongoDB 5.0.31", "MONGODB_IMAGE=mongo:6.0"],
      ],
    ],
    [
      "a later version of both",
      { RAN: "qdrant/qdrant:v1.19.0", DATA: data("8.0.4") },
      [
        ["opened by Qdrant 1.19", "QDRANT_IMAGE=qdrant/qdrant:v1.19.0"],
        ["opened by MongoDB 8.0.4", "MONGODB_IMAGE=mongo:8.0"],
      ],
    ],
    [
      "another format, and another login",
      { DATA: data("7.0.9", "0.3.1"), LOGIN: "another" },
      [
        ["of format 0.3.1", "qdrant/qdrant:v0.11.7"],
        ["refuses MONGODB_USERNAME", "COMPOSE.md"],
      ],
    ],
  ])("finds data that the next image cannot open: %s", (_, facts, problems) => {
    Object.assign(shell.environment, facts);
    expectFound(...problems);
  });

  it.each([
    ["the same", { RAN: "qdrant/qdrant:v1.18.3" }],
    ["the one before", { RAN: "qdrant/qdrant:v1.17.1", DATA: data("6.0.2") }],
  ])("reports nothing for data of a version that it can open, %s", (_, facts) => {
    Object.assign(shell.environment, facts);
    expect(check()).toEqual(CLEAN);
  });

  it.each<[NodeJS.ProcessEnv, string[]]>([
    [{ STOPPED: "", DATA: "" }, ["no container or image here has a version", "or the data has no version"]],
    [
      { RAN: "sha256:00ff", RUNNING: "", MONGODB_PASSWORD: "another" },
      ["no container or image here has a version", "MongoDB does not run"],
    ],
    [{ IMAGES: MODEL }, ["the format of the collections in hyperion_qdrant-data", "the image is not here"]],
  ])("names the checks that were skipped (%#)", (facts, skipped) => {
    Object.assign(shell.environment, facts);
    const { status, stdout } = check();
    for (const what of skipped) expect(stdout).toMatch(new RegExp(`^not checked: .*${what}`, "m"));
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^(not checked: .*\n){2}Nothing found/)]);
  });

  it("looks for the volumes of the project's name, and logs in as MONGODB_URI does", () => {
    const facts = { DATA: mongod("5.0.31"), LOGIN: "mongodb://hyperion:x@mongodb" };
    Object.assign(shell.environment, facts, { VOLUMES: "mine_mongodb-data" });
    shell.write(".env", "COMPOSE_PROJECT_NAME=mine\nMONGODB_URI=mongodb://hyperion:x@mongodb\n");
    expectFound(["mine_mongodb-data was last opened by MongoDB 5.0.31", "MONGODB_IMAGE=mongo:6.0"]);
    expect(check().stdout).not.toContain("refuses");
  });

  it("reports that the volume already has a password that breaks the address", () => {
    shell.environment["LOGIN"] = "another";
    shell.write(".env", "MONGODB_PASSWORD=p@ss\n");
    expectFound(["its volume keeps the login", 'COMPOSE.md, "Settings"']);
  });
});

describe("of the version", () => {
  beforeEach(() => {
    shell.write(".env", "HYPERION_TAG=1.4.2\n");
    shell.environment["REFUSAL"] = "failed to resolve reference: not found";
  });

  it.each([
    [
      images.flatMap(({ name }) => (name === "hyperion-http-bridge" ? [] : [name])).join(" "),
      "has no hyperion-http-bridge at",
      "from the tag v1.4.2 of its repository",
    ],
    ["", "the registry has no HYPERION_TAG=1.4.2", "HYPERION_TAG=latest"],
  ])("finds images that it lacks (it has %s), with all other problems", (there, what, fix) => {
    shell.environment["TAGGED"] = there;
    shell.write(".env", "HYPERION_TAG=1.4.2\nHYPERION_UI_PORT=abc\n");
    expectFound([what, fix]);
    expectFound(["HYPERION_UI_PORT=abc cannot work", "'/^HYPERION_UI_PORT=/d' .env"]);
  });

  it("accepts a complete version, and reports that the registry does not answer", () => {
    shell.environment["TAGGED"] = ALL;
    expect(check()).toEqual(CLEAN);
    Object.assign(shell.environment, { TAGGED: "", REFUSAL: "dial tcp: i/o timeout" });
    expect(check().stdout).toContain(
      "not checked: whether the registry has us-central1-docker.pkg.dev/production-471918/hyperion-public/hyperion-coordinator-mcp:1.4.2",
    );
  });
});

it("needs no other file than the compose file", () => {
  shell.write("check-compose.sh", readFileSync(path.join(root, script), "utf8"));
  expect(shell.run(path.join(shell.folder, "check-compose.sh"))).toEqual(CLEAN);
  expect(shell.bash("bash <check-compose.sh")).toEqual(CLEAN);
});

describe("without an engine", () => {
  const remaining = "did you mean HYPERION_UI_PORT?";
  beforeEach(() => {
    shell.write(".env", "HYPERION_UI_PROT=8080\n");
    shell.environment["TMOUT"] = "1";
  });

  it.each([
    ["fails", "exit 1"],
    ["hangs", "exec sleep 3"],
  ])("checks the rest if the engine %s", (_, engine) => {
    shell.fake("docker", `case "$1" in --version | compose) echo 2.40.3 ;; *) ${engine} ;; esac`);
    expectFound(["Docker does not answer", "docker version"]);
    expectFound([remaining, "HYPERION_UI_PORT=/' .env"]);
  });

  it("checks the rest if there is no Docker", () => {
    shell.without("docker");
    expectFound(["there is no Docker on PATH", "docs.docker.com/engine/install"]);
    expectFound([remaining, "HYPERION_UI_PORT=/' .env"]);
  });
});

it("refuses unknown options and folders", () => {
  expect(shell.run(script, ["--fix"])).toMatchObject({ status: 2 });
  expect(shell.run(script, [`${shell.folder}/none`])).toMatchObject({ status: 2 });
  shell.bash("rm docker-compose.yml");
  expect(check().stdout).toContain("there is no docker-compose.yml");
});
