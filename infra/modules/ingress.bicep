// Optional: an app of its own for HTTP, which may put requests on the work queues and write its own documents, and has no
// right in Azure DevOps and none on a pool. Its host has an account of its own: who writes the worker's deployment
// container runs code as the worker.
param name string
param planName string
param accountName string
param location string
param tags object
param deploymentContainer string
param insightsName string
param insightsConnectionString string
param settings object
param disabled array
param apiClientId string
param openPaths array
param subnetId string

@description('Subnet for private endpoints; empty: storage is reached over public ones.')
param endpointSubnetId string

@description('Account with the work queues and the state container: name, blobEndpoint, queueEndpoint.')
param work object

@description('Queues for requests: of a few pools, and of many.')
param queueNames array
param stateContainer string

@description('Blobs of that container that the HTTP functions write.')
param stateBlobs array
param storageSku string

@description('Resource id of the vault with the git token and the webhook secrets; empty: none.')
param vaultId string

@description('Names of those secrets.')
param secretNames array

var roles = loadJsonContent('../roles.json').ids

module identity 'identity.bicep' = {
  name: 'ingress-identity'
  params: {
    name: '${name}-id'
    location: location
    tags: tags
  }
}

module storage 'storage.bicep' = {
  name: 'ingress-storage'
  params: {
    name: accountName
    location: location
    tags: tags
    containers: [deploymentContainer]
    queues: []
    sku: storageSku
    closed: !empty(endpointSubnetId)
  }
}

module endpoints 'endpoints.bicep' = if (!empty(endpointSubnetId)) {
  name: 'ingress-endpoints'
  params: {
    accountId: storage.outputs.id
    accountName: accountName
    location: location
    tags: tags
    subnetId: endpointSubnetId
  }
}

module hostRoles '../roles/account.bicep' = {
  name: 'ingress-role-host'
  params: {
    accountName: storage.outputs.name
    principalId: identity.outputs.principalId
    blobContainers: [deploymentContainer]
    roleIds: [
      roles['Storage Table Data Contributor']
    ]
  }
}

module senders '../roles/queue.bicep' = [
  for (queueName, index) in queueNames: {
    name: 'ingress-role-queue-${index}'
    params: {
      accountName: work.name
      queueName: queueName
      principalId: identity.outputs.principalId
      roleId: roles['Storage Queue Data Message Sender']
    }
  }
]

// Statuses and leases are beside what it remembers, in the same container: it reads them and writes its own alone.
module memory '../roles/container.bicep' = {
  name: 'ingress-role-memory'
  params: {
    accountName: work.name
    containerName: stateContainer
    principalId: identity.outputs.principalId
    roleId: roles['Storage Blob Data Contributor']
    onlyBlobs: stateBlobs
  }
}

module telemetry '../roles/telemetry.bicep' = {
  name: 'ingress-role-telemetry'
  params: {
    insightsName: insightsName
    principalId: identity.outputs.principalId
    roleId: roles['Monitoring Metrics Publisher']
  }
}

module secrets '../roles/secret.bicep' = [
  for (secretName, index) in secretNames: {
    name: 'ingress-role-secret-${index}'
    scope: resourceGroup(split(vaultId, '/')[2], split(vaultId, '/')[4])
    params: {
      vaultName: last(split(vaultId, '/'))
      secretName: secretName
      principalId: identity.outputs.principalId
      roleId: roles['Key Vault Secrets User']
    }
  }
]

module app 'app.bicep' = {
  name: 'ingress-app'
  params: {
    name: name
    planName: planName
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorage: {
      blobEndpoint: storage.outputs.blobEndpoint
      queueEndpoint: storage.outputs.queueEndpoint
      tableEndpoint: storage.outputs.tableEndpoint
    }
    workStorage: work
    deploymentContainer: deploymentContainer
    insightsConnectionString: insightsConnectionString
    settings: settings
    disabled: disabled
    reachable: true
    apiClientId: apiClientId
    openPaths: openPaths
    subnetId: subnetId
    maximumInstances: 40
    instanceMemoryMB: 2048
  }
  dependsOn: [hostRoles, endpoints, secrets]
}

output hostName string = app.outputs.hostName
output name string = app.outputs.name
