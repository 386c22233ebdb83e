namespace Muster.Contracts.Commit;

/// <summary>A grain whose record can name a next date (<see cref="CommitAttachments.DueAt"/>). The partition's due list calls it.</summary>
[GrainInterfaceType("muster.due"), Alias("muster.IDueGrain")]
public interface IDueGrain : IGrainWithStringKey
{
    /// <summary>
    /// Look at the clock and the record, do what is due, and commit the next date. A call may come late, twice, or with
    /// nothing to do; it never means "n periods have passed".
    /// </summary>
    [Alias("OnDue")]
    Task OnDueAsync(CancellationToken cancellationToken);
}
