// What the worker's identity may do, and nothing more; each scope is a parameter. docs/deploy.md says why for each.
targetScope = 'subscription'

param principalId string

@description('report: may read pools; enforce: may write them.')
@allowed(['report', 'enforce'])
param mode string

@description('Resource ids of resource groups with pools.')
param poolResourceGroups array

@description('Resource ids of managed identities that specs attach to pools.')
param attachedIdentities array

@description('Resource ids of subnets that specs put pools into.')
param subnets array

@description('Resource ids of vaults whose certificates specs put on machines.')
param certificateVaults array

@description('Resource ids of Dev Center projects that specs put pools into.')
param devCenterProjects array

@description('Resource id of the vault with the tokens and secrets that settings refer to; empty: none.')
param vaultId string

@description('Names of those secrets.')
param secretNames array

@description('Resource group of this deployment.')
param resourceGroupName string
param accountName string

@description('Containers of that account whose blobs the app reads and writes.')
param blobContainers array
param insightsName string

var roles = loadJsonContent('../roles.json').ids
var enforcing = mode == 'enforce'
// Deployments of a subscription share one list of names, in all its regions.
var mark = uniqueString(principalId)

module pools '../roles/group.bicep' = [
  for (id, index) in poolResourceGroups: {
    name: 'role-pools-${mark}-${index}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      principalId: principalId
      roleId: enforcing ? roles['DevOps Infrastructure Contributor'] : roles.Reader
    }
  }
]

module identities '../roles/identity.bicep' = [
  for (id, index) in attachedIdentities: if (enforcing) {
    name: 'role-identity-${mark}-${index}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      identityName: last(split(id, '/'))
      principalId: principalId
      roleId: roles['Managed Identity Operator']
    }
  }
]

// One after the other: subnets of one subscription share the role.
@batchSize(1)
module joiner '../roles/subnet-role.bicep' = [
  for (id, index) in subnets: if (enforcing) {
    name: 'role-joiner-${mark}-${index}'
    scope: subscription(split(id, '/')[2])
  }
]

module joined '../roles/subnet.bicep' = [
  for (id, index) in subnets: if (enforcing) {
    name: 'role-subnet-${mark}-${index}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      networkName: split(id, '/')[8]
      subnetName: last(split(id, '/'))
      principalId: principalId
      roleId: joiner[index]!.outputs.roleId
    }
  }
]

module certificates '../roles/vault.bicep' = [
  for (id, index) in certificateVaults: if (enforcing) {
    name: 'role-certificates-${mark}-${index}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      vaultName: last(split(id, '/'))
      principalId: principalId
      roleId: roles['Key Vault Certificate User']
    }
  }
]

// No published action attaches a pool to a Dev Center project, and the role of pools holds nothing on one (Microsoft
// Learn, "Azure built-in roles for DevOps", "Azure permissions for DevOps"): an identity that names a project has to see it.
module projects '../roles/project.bicep' = [
  for (id, index) in devCenterProjects: if (enforcing) {
    name: 'role-project-${mark}-${index}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      projectName: last(split(id, '/'))
      principalId: principalId
      roleId: roles.Reader
    }
  }
]

module secrets '../roles/secret.bicep' = [
  for (secretName, index) in secretNames: {
    name: 'role-secret-${mark}-${index}'
    scope: resourceGroup(split(vaultId, '/')[2], split(vaultId, '/')[4])
    params: {
      vaultName: last(split(vaultId, '/'))
      secretName: secretName
      principalId: principalId
      roleId: roles['Key Vault Secrets User']
    }
  }
]

// The host keeps locks and its package in blobs, the triggers take messages and create dead-letter queues, and the host notes
// its diagnostic events in a table (Microsoft Learn, "Connect to host storage with an identity"; for blobs it names Storage
// Blob Data Owner, see docs/decisions/0152). Every queue of the account is one of the worker's.
module storage '../roles/account.bicep' = {
  name: 'role-storage-${mark}'
  scope: resourceGroup(resourceGroupName)
  params: {
    accountName: accountName
    principalId: principalId
    blobContainers: blobContainers
    roleIds: [
      roles['Storage Queue Data Contributor']
      roles['Storage Table Data Contributor']
    ]
  }
}

module telemetry '../roles/telemetry.bicep' = {
  name: 'role-telemetry-${mark}'
  scope: resourceGroup(resourceGroupName)
  params: {
    insightsName: insightsName
    principalId: principalId
    roleId: roles['Monitoring Metrics Publisher']
  }
}
