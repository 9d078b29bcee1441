import type { Route } from "../../support/http/route.ts";
import { roles } from "./roles.ts";
import { serviceAccounts } from "./service-accounts.ts";
import { workloadIdentity } from "./workload-identity.ts";

/** IAM v1: service accounts, roles, workload identity. */
export const routes: Route[] = [...serviceAccounts, ...roles, ...workloadIdentity];
