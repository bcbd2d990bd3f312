// Alerts with their recipients, and the workbook. Queries are in infra/alerts.json; docs/operations.md has an entry
// for each, and a table of the metrics that they ask for (`customMetrics`, docs/operations.md).
param namePrefix string
param location string
param tags object
param insightsId string

@description('Address that alerts are sent to; empty: they only show in the portal.')
param alertEmail string

var rules = loadJsonContent('../alerts.json').rules

resource people 'Microsoft.Insights/actionGroups@2022-06-01' = if (!empty(alertEmail)) {
  name: '${namePrefix}-people'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'reconciler'
    emailReceivers: [
      {
        name: 'on call'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2021-08-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.description
      enabled: true
      autoMitigate: true
      severity: rule.severity
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      scopes: [
        insightsId
      ]
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(alertEmail) ? [] : [people.id]
      }
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'pool-reconciler-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Pool reconciler'
    category: 'workbook'
    serializedData: loadTextContent('../workbook.json')
    sourceId: insightsId
    version: 'Notebook/1.0'
  }
}
