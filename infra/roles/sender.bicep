// What a topic's identity needs: to put messages on its queue, and to write what it could not deliver into one container.
param accountName string
param queueName string
param containerName string
param principalId string

var roles = loadJsonContent('../roles.json').ids

module send 'queue.bicep' = {
  name: 'role-${uniqueString(principalId)}-${queueName}'
  params: {
    accountName: accountName
    queueName: queueName
    principalId: principalId
    roleId: roles['Storage Queue Data Message Sender']
  }
}

module write 'container.bicep' = {
  name: 'role-${uniqueString(principalId)}-${containerName}'
  params: {
    accountName: accountName
    containerName: containerName
    principalId: principalId
    roleId: roles['Storage Blob Data Contributor']
  }
}
