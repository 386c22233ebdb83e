using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>What the budgets per value of a rollout may be, and which groups a device belongs to.</summary>
public static class BudgetRules
{
    /// <summary>The field of the API.</summary>
    private const string ApiField = "max_unavailable_per";

    internal static void Check(ImmutableArray<ValueBudget> budgets, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (budgets.IsDefaultOrEmpty)
        {
            return;
        }

        if (budgets.Length > ValueBudget.BudgetsMax)
        {
            problems.Add(new(ApiField, $"has at most {ValueBudget.BudgetsMax} budgets"));
            return;
        }

        var keys = new HashSet<GroupKey>();
        for (var i = 0; i < budgets.Length; i++)
        {
            var (key, error) = ReadField(budgets[i].Field);
            if (key is not { } read)
            {
                problems.Add(new($"{ApiField}[{i}].field", error));
            }
            else if (!keys.Add(read))
            {
                problems.Add(new($"{ApiField}[{i}].field", "has a budget already: one field, one budget"));
            }

            CheckLimit(budgets[i].Limit, $"{ApiField}[{i}].limit", problems);
        }
    }

    /// <summary>Reads a field that a budget may be of: one that devices are counted by. The error names the column.</summary>
    public static (GroupKey? Key, string Error) ReadField(string? text)
    {
        var (grouping, error) = InventoryGrouping.Parse(text ?? "", InventoryFields.Device);
        return (error, grouping.Keys) switch
        {
            ({ } unreadable, _) => (null, unreadable.Message.Replace("group_by", ApiField, StringComparison.Ordinal)
                + " A label is named labels.NAME, such as labels.redundancy_group."),
            (_, not [_]) => (null, "A budget is of one field, such as site or labels.redundancy_group."),
            (_, [{ Path.Field.Name: WaveRules.SettingsField }]) => (null, "Settings have no budget: use a label that says the same."),
            (_, [var key]) when InventoryFields.IsPresence(key.Path.Field.Name) =>
                (null, $"'{key.Path.Field.Name}' changes with every session and has no budget: members belong to one value for ever."),
            (_, [var key]) => (key, ""),
        };
    }

    private static void CheckLimit(Amount limit, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        var valid = limit switch
        {
            { Kind: AmountKind.Count, Value: >= 1 and <= ValueBudget.SeatsMax } => true,
            { Kind: AmountKind.Percent, Value: >= 1 and <= 100 } => true,
            _ => false,
        };
        if (!valid)
        {
            problems.Add(new(
                field,
                $"is a count from 1 to {ValueBudget.SeatsMax}, or a percentage from 1 to 100 of the members with the value;"
                + " more devices than that are limited by max_unavailable"));
        }
    }
}

/// <summary>Reads of a device's row which groups it belongs to.</summary>
public sealed class GroupReader
{
    private readonly ImmutableArray<(string Field, GroupKey Key)> _keys;

    /// <summary>Of a valid spec (<see cref="BudgetRules"/>).</summary>
    public GroupReader(ImmutableArray<ValueBudget> budgets) => _keys = [.. budgets.Select(budget => (budget.Field,
        BudgetRules.ReadField(budget.Field).Key
        ?? throw new InvalidOperationException($"The field '{budget.Field}' of a budget was accepted and cannot be read.")))];

    /// <summary>By budget; null where the device has no value: nobody else is in its group, and no budget holds it back.</summary>
    public ImmutableArray<GroupName?> GroupsOf(IFieldSource row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return [.. _keys.Select(key => GroupOf(key.Field, key.Key, row))];
    }

    /// <summary>Not within a character of two: half of one is another after the way through a store.</summary>
    private static int EndOf(string value) =>
        ValueBudget.ValueCharactersMax - (char.IsHighSurrogate(value[ValueBudget.ValueCharactersMax - 1]) ? 1 : 0);

    private static GroupName? GroupOf(string field, GroupKey key, IFieldSource row)
    {
        var value = key.Show(row.Field(key.Path.Field.Name, key.Path.Key));
        return value.Length == 0 ? null
            : new GroupName(field, value.Length <= ValueBudget.ValueCharactersMax ? value : value[..EndOf(value)]);
    }
}
