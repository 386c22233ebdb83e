using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Budgets per value.</summary>
internal static partial class RolloutsMapping
{
    private static ValueBudget ToSpec(V1.ValueBudget budget) => new(
        budget.Field,
        budget.LimitCase == V1.ValueBudget.LimitOneofCase.Percent ? Amount.Percent(budget.Percent) : Amount.Count(budget.Count));

    private static V1.ValueBudget ToApi(ValueBudget budget)
    {
        var api = new V1.ValueBudget { Field = budget.Field };
        if (budget.Limit.Kind == AmountKind.Percent)
        {
            api.Percent = budget.Limit.Value;
        }
        else
        {
            api.Count = budget.Limit.Value;
        }

        return api;
    }
}
