// RUN: neuroc-opt %s --split-input-file --verify-diagnostics
// One case per rule of distributions and connection rules.

// neuro_dist_r1
// expected-error @below {{uniform distribution needs lo <= hi, got 1.000000e+00 and 0.000000e+00}}
#a = #neuro.dist<uniform(1.0, 0.0)>

// -----

// expected-error @below {{standard deviation must not be negative, got -1.000000e+00}}
#a = #neuro.dist<normal(0.0, -1.0)>

// -----

// expected-error @below {{mean of an exponential distribution must be positive, got 0.000000e+00}}
#a = #neuro.dist<exponential(0.0, 0.0)>

// -----

// expected-error @below {{clip must be [lo, hi] with lo < hi}}
#a = #neuro.dist<normal(0.0, 1.0) clip [1.0, 1.0]>

// -----

// neuro_list_r1
// expected-error @below {{list connections must be a k x 2 table of i64, got 'tensor<2xi64>'}}
#a = #neuro.list<dense<[0, 1]> : tensor<2xi64>>

// -----

// neuro_fixed_probability_r1
// expected-error @below {{probability must be in [0, 1], got 1.500000e+00}}
#a = #neuro.fixed_probability<1.5, self = true>

// -----

// neuro_fixed_indegree_r1
// expected-error @below {{degree must not be negative, got -1}}
#a = #neuro.fixed_indegree<-1, self = true, multapses = true>

// -----

// neuro_fixed_outdegree_r1
// expected-error @below {{degree must not be negative, got -2}}
#a = #neuro.fixed_outdegree<-2, self = true, multapses = true>

// -----

// neuro_conv_r1
// expected-error @below {{convolution kernel must be 2 numbers of at least 1}}
#a = #neuro.conv<kernel = [0, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1>

// -----

// expected-error @below {{convolution strides must be 2 numbers of at least 1}}
#a = #neuro.conv<kernel = [3, 3], strides = [1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 1>

// -----

// expected-error @below {{convolution pads must be 4 numbers of at least 0}}
#a = #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0], dilations = [1, 1], groups = 1>

// -----

// expected-error @below {{convolution dilations must be 2 numbers of at least 1}}
#a = #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [0, 1], groups = 1>

// -----

// expected-error @below {{convolution groups must be positive, got 0}}
#a = #neuro.conv<kernel = [3, 3], strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], groups = 0>
