namespace Muster.ServiceDefaults.Health;

/// <summary>Whether a host can do its work now: it reaches what it depends on.</summary>
public interface IReadinessCheck
{
    /// <summary>Null when it can; else one sentence without addresses or secrets: whoever reaches the port may read it.</summary>
    Task<string?> FindProblemAsync(CancellationToken cancellationToken);
}
