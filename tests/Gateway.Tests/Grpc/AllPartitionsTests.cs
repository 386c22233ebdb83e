using System.Reflection;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>A question to all partitions waits in a busy silo once: no partition has to answer before another is asked.</summary>
public sealed class AllPartitionsTests
{
    private static readonly RowQuery s_query = new(TenantId.Default, "muster.device", "", "", 50);

    [Fact]
    public async Task CountAsync_WhenNoneAnswersBeforeAllAreAsked_HearsFromAll()
    {
        var reply = await ReaderOf(new RowCounts(1, [], null)).CountAsync(s_query, "", CancellationToken.None);

        Assert.Equal((PartitionMap.CountDefault, PartitionMap.CountDefault), (reply.Answered, reply.Counts.Total));
    }

    [Fact]
    public async Task ListAsync_WhenNoneAnswersBeforeAllAreAsked_HearsFromAll()
    {
        var reply = await ReaderOf(new RowPage([], true, null)).ListAsync(s_query, CancellationToken.None);

        Assert.Equal((PartitionMap.CountDefault, true), (reply.Answered, reply.Page.IsLast));
    }

    private static InventoryReader ReaderOf<T>(T answer)
    {
        var left = PartitionMap.CountDefault;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new InventoryReader(
            [.. Enumerable.Range(0, PartitionMap.CountDefault).Select(_ => LatePartition.Create(AnswerAsync))], TimeProvider.System);

        async Task<T> AnswerAsync()
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                all.SetResult();
            }

            await all.Task;
            return answer;
        }
    }
}

#pragma warning disable CA1852 // DispatchProxy derives from it at run time.
internal class LatePartition : DispatchProxy
{
    private Func<Task>? _answer;

    public static IInventoryGrain Create(Func<Task> answer)
    {
        var proxy = Create<IInventoryGrain, LatePartition>();
        ((LatePartition)(object)proxy)._answer = answer;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _answer!();
}
#pragma warning restore CA1852
