/**
 * Namespace of this project's settings: the project's name in `Pulumi.yaml`. It is part of every URN and cannot change.
 */
export const NAMESPACE = "hyperion-registry";

/** The command that runs the verified CLI. Arguments follow. */
export const PULUMI = "npm run pulumi --";

/** The stack of this run. The SDK's runner sets the variable for a program. */
let stack = process.env["PULUMI_NODEJS_STACK"];

/** Names the stack that the printed commands of a script work on. */
export function nameStack(name: string): void {
  stack = name;
}

/** The command with this run's stack, because another one can be selected. */
function onStack(command: string): string {
  return stack === undefined ? command : `${command} --stack ${stack}`;
}

/** The command that runs the verified CLI with these arguments on this run's stack. */
export function pulumiCommand(args: string): string {
  return onStack(`${PULUMI} ${args}`);
}

/** The command that releases a version, or goes back to it. */
export function releaseCommand(version: string, ...options: string[]): string {
  return onStack(["npm run release --", version, ...options].join(" "));
}

/** The command that lists the versions of the registry. */
export function reportCommand(): string {
  return stack === undefined ? "npm run report" : onStack("npm run report --");
}

/** Name of the file with the stack's settings. */
export function stackFile(): string {
  return `Pulumi.${stack ?? "STACK"}.yaml`;
}

/** Separates alternative fixes. */
export const OR = "\n           or ";

/** Full key of a setting, for messages and `pulumi config`. */
export function settingKey<Name extends string>(name: Name): `${typeof NAMESPACE}:${Name}` {
  return `${NAMESPACE}:${name}`;
}

/** The command that sets a setting, or an element of a list (`readers[0]`). */
export function configSet(name: string, value: string): string {
  return pulumiCommand(`config set ${pathOption(name)} ${value}`);
}

/** The command that removes a setting, or an element of a list. */
export function configRemove(name: string): string {
  return pulumiCommand(`config rm ${pathOption(name)}`);
}

function pathOption(name: string): string {
  const key = settingKey(name);
  return name.includes("[") ? `--path '${key}'` : key;
}
