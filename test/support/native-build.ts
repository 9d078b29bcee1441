import { platformTag } from "../../components/images/tags/names.ts";
import { NATIVE } from "../../sandbox/machine/architecture.ts";

/** The platform of this machine's containers. */
export const nativePlatform = `linux/${NATIVE}` as const;

/** The tag of the image for this machine's platform in the engine after an `up`. */
export const nativeBuild = platformTag(nativePlatform);
