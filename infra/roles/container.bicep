// The right to read the blobs of one container, and to write some of them or all.
param accountName string
param containerName string
param principalId string
param roleId string

@description('Names of the blobs that may be written; none given: all.')
param onlyBlobs array = []

// Microsoft Learn, "Azure role assignment condition format and syntax", "Actions and attributes for Azure role assignment
// conditions for Azure Blob Storage": what matches none of the actions is allowed, the others where the path fits.
var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
var changes = ['write', 'add/action', 'delete', 'move/action']
var others = join(map(changes, each => '!(ActionMatches{\'${blobs}/${each}\'})'), ' AND ')
var fits = join(map(onlyBlobs, each => '@Resource[${blobs}:path] StringEquals \'${each}\''), ' OR ')

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource service 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: service
  name: containerName
}

resource write 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(container.id, principalId, roleId)
  scope: container
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    condition: empty(onlyBlobs) ? null : '((${others}) OR (${fits}))'
    conditionVersion: empty(onlyBlobs) ? null : '2.0'
  }
}
