using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>How to reach the store, and how long to insist before a commit is reported as not possible now.</summary>
public sealed class StoreOptions
{
    /// <summary>In the client's own form: <c>host:port,password=…,ssl=true</c>, or <c>!/path/to/socket</c>.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>A power of two from 16 to 4096; chosen at first start and then part of the data.</summary>
    public int Partitions { get; set; } = PartitionMap.CountDefault;

    /// <summary>How long one request may take before the same commit is sent again. From 100 ms to 10 s.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How often a commit is sent in all, from 1 to 8. Four times three seconds outlast a restart of the server and end before a caller
    /// stops listening (15 s); what more attempts would take is cut off at 13 s.
    /// </summary>
    public int AttemptsMax { get; set; } = 4;

    /// <summary>
    /// The newest entries that each partition's change feed keeps for readers that come late, from 512 to 1,000,000; one takes about a
    /// kilobyte of the store. A reader that comes later still begins with the records.
    /// </summary>
    public int FeedEntriesKept { get; set; } = 512;
}

internal sealed class StoreOptionsValidator : IValidateOptions<StoreOptions>
{
    private const int AttemptsLimit = 8;
    private const int FeedEntriesMin = 512;
    private const int FeedEntriesLimit = 1_000_000;
    private static readonly TimeSpan RequestTimeoutMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RequestTimeoutMax = TimeSpan.FromSeconds(10);

    public ValidateOptionsResult Validate(string? name, StoreOptions options)
    {
        var problems = new List<string>();
        CheckConnectionString(options.ConnectionString, problems);
        try
        {
            _ = new PartitionMap(options.Partitions);
        }
        catch (ArgumentOutOfRangeException exception)
        {
            problems.Add(exception.Message);
        }

        if (options.RequestTimeout < RequestTimeoutMin || options.RequestTimeout > RequestTimeoutMax)
        {
            problems.Add($"The store's request timeout is from {RequestTimeoutMin} to {RequestTimeoutMax}, not {options.RequestTimeout}.");
        }

        if (options.AttemptsMax is < 1 or > AttemptsLimit)
        {
            problems.Add($"A commit is sent from 1 to {AttemptsLimit} times, not {options.AttemptsMax}.");
        }

        if (options.FeedEntriesKept is < FeedEntriesMin or > FeedEntriesLimit)
        {
            problems.Add($"A feed keeps from {FeedEntriesMin} to {FeedEntriesLimit} entries, not {options.FeedEntriesKept}.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static void CheckConnectionString(string connectionString, List<string> problems)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            problems.Add("The store's connection string is missing.");
            return;
        }

        try
        {
            if (ConfigurationOptions.Parse(connectionString).EndPoints.Count == 0)
            {
                problems.Add("The store's connection string names no server.");
            }
        }
        catch (ArgumentException)
        {
            // The text may hold a password: it is not repeated.
            problems.Add("The store's connection string cannot be read.");
        }
    }
}
