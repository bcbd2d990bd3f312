// The right to see one Dev Center project, which a pool refers to by devCenterProjectResourceId.
param projectName string
param principalId string
param roleId string

resource project 'Microsoft.DevCenter/projects@2025-02-01' existing = {
  name: projectName
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(project.id, principalId, roleId)
  scope: project
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
