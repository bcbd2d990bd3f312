// Roles on a storage account, for an app whose host lives there. Blobs of some containers alone: a container is created and
// listed at the account, so the role is held there, and its condition names the containers.
param accountName string
param principalId string

@description('Containers whose blobs are read and written, besides those of the host, azure-webjobs-….')
param blobContainers array

@description('Other roles.')
param roleIds array

var roles = loadJsonContent('../roles.json').ids
var blobRole = roles['Storage Blob Data Contributor']

// Microsoft Learn, "Azure role assignment condition format and syntax", "Actions and attributes for Azure role assignment
// conditions for Azure Blob Storage": what matches none of the actions is allowed, the others where the container fits.
var service = 'Microsoft.Storage/storageAccounts/blobServices'
var uses = ['read', 'write', 'add/action', 'delete', 'move/action']
var others = join(map(uses, each => '!(ActionMatches{\'${service}/containers/blobs/${each}\'})'), ' AND ')
var patterns = concat(['azure-webjobs-*'], blobContainers)
var fits = join(map(patterns, each => '@Resource[${service}/containers:name] StringLike \'${each}\''), ' OR ')

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource blobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, blobRole)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobRole)
    condition: '((${others}) OR (${fits}))'
    conditionVersion: '2.0'
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in roleIds: {
    name: guid(account.id, principalId, roleId)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    }
  }
]
